import { age } from "../status/words";
import { type Check, failed, judged, left, passed } from "./check";

/** What a platform promises beyond the seed's checks; pure. */

const STATUS = "pgp status";

export const furtherChecks: readonly Check[] = [
  {
    id: "synchronous",
    title: "a standby confirms commits where the stack wants that",
    next: STATUS,
    look: ({ facts, report: { instances } }) => {
      if (facts === undefined || facts.synchronous.number === 0) return left("replication is asynchronous");
      const confirms = instances
        .filter(({ sync }) => sync === "sync" || sync === "quorum")
        .map(({ name }) => name);
      return confirms.length > 0 ? passed(confirms.join(", ")) : failed("none does");
    },
  },
  {
    id: "certificates",
    title: "no certificate ends soon",
    next: "pgp up",
    look: ({ report: { certificates, at }, found }) => {
      const { critical } = found.platform.engine.inMetrics.certificateDays;
      return certificates.length === 0
        ? failed("no certificate can be read")
        : judged(
            certificates.flatMap(({ what, ends }) => {
              const days = (Date.parse(ends) - Date.parse(at)) / 86_400_000;
              return days > critical ? [] : [`the ${what} certificate has ${days.toFixed(1)} days left`];
            }),
            certificates.map(({ what }) => what).join(", "),
          );
    },
  },
  {
    id: "archive",
    title: "WAL is archived, and the recovery point objective is kept",
    next: "pgp logs --no-follow --since 10m --level warning",
    look: ({ report: { archive } }) =>
      archive === undefined
        ? left("nothing is archived")
        : judged(
            [
              ...(archive.failing ? [`the last segment failed; ${archive.waitingSegments} wait`] : []),
              ...(archive.unarchivedSeconds !== undefined &&
              archive.unarchivedSeconds > (archive.rpoSeconds ?? Infinity)
                ? [`a write of ${age(archive.unarchivedSeconds)} ago is not archived`]
                : []),
            ],
            `${archive.waitingSegments} segments wait`,
          ),
  },
  {
    id: "backups",
    title: "every target answers, and its base backup can be restored",
    next: "pgp backups",
    look: ({ report: { targets } }) =>
      targets.length === 0
        ? left("there is no target")
        : judged(
            targets.flatMap(({ name, answers, why, baseAt }) => [
              ...(answers ? [] : [`${name} can't be read: ${why ?? ""}`]),
              ...(answers && baseAt === undefined ? [`${name} has no base backup`] : []),
              ...(answers && why !== undefined ? [`${name}: ${why}`] : []),
            ]),
            targets.map(({ name }) => name).join(", "),
          ),
  },
  {
    id: "verification",
    title: "the last verification of each target passed",
    next: "pgp verify",
    look: ({ report: { targets } }) => {
      const tried = targets.filter(({ verified }) => verified !== undefined);
      return tried.length === 0
        ? left("none has run yet")
        : judged(
            tried.flatMap(({ name, verified }) => (verified === false ? [`that of ${name} failed`] : [])),
            tried.map(({ name }) => name).join(", "),
          );
    },
  },
  {
    id: "budgets",
    title: "disruption budgets are there, and allow what a drain needs",
    next: STATUS,
    look: ({ budgets, report: { poolers, instances } }) => {
      if (poolers.length === 0 && instances.length < 2)
        return left("a single instance without a pooler has none");
      return judged(
        budgets.length === 0
          ? ["there is none"]
          : budgets.flatMap(({ metadata, status }) => {
              const { currentHealthy = 0, desiredHealthy = 0 } = (status ?? {}) as Record<string, number>;
              return currentHealthy < desiredHealthy
                ? [`${metadata.name}: ${currentHealthy} of ${desiredHealthy} pods are healthy`]
                : [];
            }),
        budgets.map(({ metadata }) => metadata.name).join(", "),
      );
    },
  },
  {
    id: "policies",
    title: "network policies close the namespace",
    next: "pgp preview",
    look: ({ policies }) => {
      const closed = policies.some(({ spec }) => {
        const { podSelector, ingress } = (spec ?? {}) as { podSelector?: object; ingress?: unknown[] };
        return (
          podSelector !== undefined && Object.keys(podSelector).length === 0 && (ingress ?? []).length === 0
        );
      });
      return closed ? passed(`${policies.length} policies`) : failed("none denies all that isn't allowed");
    },
  },
  {
    id: "stranger",
    title: "a pod that no flow lets in reaches no instance and no pooler",
    next: "pgp preview",
    look: ({ stranger }) =>
      stranger === undefined
        ? left("not asked: the stack isn't at hand")
        : stranger.problem === undefined
          ? passed("its packets are refused")
          : failed(stranger.problem),
  },
  {
    id: "restart",
    title: "no parameter waits for a restart, and no hold is on the cluster",
    next: STATUS,
    look: ({ report: { problems }, cluster, found }) =>
      judged(
        [
          ...problems.filter(({ what }) => /waits? for a restart/.test(what)).map(({ what }) => what),
          ...(cluster ? found.platform.live.onCall.holds(cluster).map(({ what }) => what) : []),
        ],
        "none",
      ),
  },
  {
    id: "nodes",
    title: "every instance is on a node that is ready, and no two on one",
    next: "pgp status",
    look: ({ report: { instances, problems } }) => {
      const used = instances.flatMap(({ node }) => node ?? []);
      const twice = used.filter((node, index) => used.indexOf(node) !== index);
      return judged(
        [
          ...problems.filter(({ what }) => /which is not ready$/.test(what)).map(({ what }) => what),
          ...(used.length < instances.length ? ["an instance has no node"] : []),
          ...(twice.length > 0 && instances.length > 1
            ? [`several instances are on ${[...new Set(twice)].join(", ")}`]
            : []),
        ],
        used.join(", "),
      );
    },
  },
];
