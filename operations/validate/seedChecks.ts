import type { KubernetesObject } from "../../plan/objects";
import { isCalledPrimary } from "../platform";
import { unreadiness } from "../status/pods";
import { age } from "../status/words";
import { type Check, failed, judged, left, passed, type Seen } from "./check";

/** The seed's checks of what runs, in its order; pure. Its tenth and twelfth end the primary: see disruption.ts. */

const names = (objects: readonly KubernetesObject[]): string[] =>
  objects.map(({ metadata }) => metadata.name);
const standbysOf = ({ report }: Seen) => report.instances.filter(({ role }) => role === "standby");

/** The addresses behind a Service: names of pods that are ready there. */
function behind({ slices }: Seen, service: string): string[] {
  interface Endpoint {
    readonly conditions?: { readonly ready?: boolean };
    readonly targetRef?: { readonly name?: string };
  }
  return slices
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === service)
    .flatMap((slice) => (slice as unknown as { endpoints?: Endpoint[] }).endpoints ?? [])
    .flatMap(({ conditions, targetRef }) =>
      conditions?.ready !== false && targetRef?.name !== undefined ? [targetRef.name] : [],
    );
}

const STATUS = "pgp status";

export const seedChecks: readonly Check[] = [
  {
    id: "cluster",
    seed: 1,
    title: "the cluster's object says that all is done",
    next: STATUS,
    look: ({ cluster, found }) => {
      if (cluster === undefined) return failed("there is no such object");
      const { done, why } = found.platform.live.progress(cluster);
      return done ? passed(why) : failed(why);
    },
  },
  {
    id: "pods",
    seed: 2,
    title: "every instance and every pooler's pod is ready",
    next: STATUS,
    look: ({ instances, poolerPods, report, cluster, found }) => {
      const wanted = (cluster && found.platform.live.shape(cluster)?.instances) ?? instances.length;
      return judged(
        [
          ...(instances.length === wanted ? [] : [`${instances.length} of ${wanted} instances are there`]),
          ...report.poolers.flatMap(({ name, ready, wanted: pods }) =>
            ready < pods ? [`${ready} of ${pods} pods of the pooler ${name} are ready`] : [],
          ),
          ...[...instances, ...poolerPods].flatMap((pod) => {
            const why = unreadiness(pod);
            return why === undefined ? [] : [`${pod.metadata.name}: ${why}`];
          }),
        ],
        `${instances.length} instances, ${poolerPods.length} pods of poolers`,
      );
    },
  },
  {
    id: "primary",
    seed: 3,
    title: "one instance leads, by its label and by its own word",
    next: "pgp history",
    look: ({ instances, report, found }) => {
      const called = names(instances.filter((pod) => isCalledPrimary(found.platform.engine, pod)));
      const leading = report.instances.filter(({ role, answers }) => answers && role === "primary");
      return judged(
        [
          ...(called.length === 1 ? [] : [`${called.length} pods are called the primary`]),
          ...(leading.length === 1 ? [] : [`${leading.length} instances take writes`]),
          ...(called.length === 1 && leading.length === 1 && called[0] !== leading[0]?.name
            ? [`${called[0]} is called the primary, and ${leading[0]?.name} takes writes`]
            : []),
        ],
        called.join(", "),
      );
    },
  },
  {
    id: "write",
    seed: 4,
    title: "a row is written at the primary within 2 s",
    next: STATUS,
    look: ({ report: { writes } }) => (writes.work === true ? passed(writes.why) : failed(writes.why)),
  },
  {
    id: "client",
    title:
      "a client in the cluster writes through the pooler and reads on a standby, with a verified certificate",
    next: "pgp logs --no-follow --since 10m --level warning",
    look: ({ client }) =>
      client === undefined
        ? left("not asked: the stack isn't at hand")
        : client.problem === undefined
          ? passed("by the Services' names, TLS with verify-full, and SCRAM")
          : failed(client.problem),
  },
  {
    id: "replication",
    seed: 5,
    title: "every standby streams from the primary",
    next: "pgp logs --no-follow --since 30m --level warning",
    look: (seen) => {
      const standbys = standbysOf(seen);
      if (standbys.length === 0) return left("there is no standby");
      return judged(
        standbys.flatMap(({ name, sync }) =>
          sync === undefined || sync === "not streaming" ? [`${name} does not stream`] : [],
        ),
        standbys.map(({ name, sync }) => `${name} ${sync}`).join(", "),
      );
    },
  },
  {
    id: "services",
    seed: 6,
    title: "the primary's Service leads to the primary alone, and the standbys' to standbys",
    next: STATUS,
    look: (seen) => {
      const { facts, report, services } = seen;
      if (facts === undefined) return failed("the cluster's object does not say which Services there are");
      const { primary, standbys } = facts.services;
      const there = new Set(names(services));
      const leading = report.instances.filter(({ role }) => role === "primary").map(({ name }) => name);
      const reached = behind(seen, primary);
      const readers = standbys === primary ? [] : behind(seen, standbys);
      return judged(
        [
          ...[primary, standbys].flatMap((one) => (there.has(one) ? [] : [`there is no Service ${one}`])),
          ...(reached.length === 1 && leading.includes(reached[0] ?? "")
            ? []
            : [`${primary} leads to ${reached.join(", ") || "no pod"}`]),
          ...readers.flatMap((one) =>
            leading.includes(one) ? [`${standbys} leads to the primary ${one}`] : [],
          ),
          ...(standbys !== primary && standbysOf(seen).length > 0 && readers.length === 0
            ? [`${standbys} leads to no pod`]
            : []),
        ],
        `${primary} leads to ${reached.join(", ")}`,
      );
    },
  },
  {
    id: "poolers",
    seed: 7,
    title: "every pooler answers, and no client waits for long",
    next: "pgp pooler show",
    look: ({ report: { poolers } }) =>
      poolers.length === 0
        ? left("there is no pooler")
        : judged(
            poolers.flatMap(({ name, clients, waiting = 0, waitSeconds = 0 }) => [
              ...(clients === undefined ? [`no pod of ${name} answers`] : []),
              ...(waitSeconds > 5
                ? [`${waiting} clients of ${name} wait, the first for ${age(waitSeconds)}`]
                : []),
            ]),
            poolers
              .map(({ name, clients = 0, servers = 0 }) => `${name}: ${clients} clients, ${servers} servers`)
              .join("; "),
          ),
  },
  {
    id: "volumes",
    seed: 8,
    title: "every claim is bound, and no volume is nearly full",
    next: STATUS,
    look: ({ claims, report: { volumes } }) =>
      judged(
        [
          ...(claims.length === 0 ? ["there is no claim"] : []),
          ...claims.flatMap(({ metadata, status }) =>
            status?.phase === "Bound"
              ? []
              : [`${metadata.name} is ${JSON.stringify(status?.phase ?? "unknown")}`],
          ),
          ...volumes.flatMap(({ instance, holds, bytes, usedBytes }) =>
            bytes > 0 && usedBytes / bytes > 0.85
              ? [`the ${holds} volume of ${instance} is nearly full`]
              : [],
          ),
        ],
        `${claims.length} claims`,
      ),
  },
  {
    id: "metrics",
    seed: 9,
    title: "every instance's metrics can be read",
    next: "pgp monitoring",
    look: ({ metrics }) =>
      metrics === undefined
        ? left("not asked: the metrics aren't in the instances' pods")
        : judged(
            [...metrics].flatMap(([name, why]) => (why === undefined ? [] : [`${name}: ${why}`])),
            `${metrics.size} instances`,
          ),
  },
  {
    id: "behind",
    seed: 11,
    title: "no standby is far behind the primary, and all are on its timeline",
    next: "pgp blockers",
    look: (seen) => {
      const standbys = standbysOf(seen);
      const [primary] = seen.report.instances.filter(({ role, answers }) => answers && role === "primary");
      return standbys.length === 0
        ? left("there is no standby")
        : judged(
            standbys.flatMap(({ name, lagSeconds, timeline }) => [
              ...(lagSeconds === undefined ? [`${name} does not say how far it is`] : []),
              ...(lagSeconds !== undefined && lagSeconds > 60
                ? [`${name} is ${age(lagSeconds)} behind`]
                : []),
              ...(timeline !== undefined && primary?.timeline !== undefined && timeline !== primary.timeline
                ? [`${name} is on timeline ${timeline}, and the primary on ${primary.timeline}`]
                : []),
            ]),
            standbys.map(({ name, lagSeconds = 0 }) => `${name} ${age(lagSeconds)}`).join(", "),
          );
    },
  },
  {
    id: "log",
    seed: 13,
    title: "the engine's log can be read",
    next: "pgp logs",
    look: ({ logLines }) => (logLines > 0 ? passed(`${logLines} lines`) : failed("it has no line")),
  },
];
