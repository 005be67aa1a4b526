import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readers } from "../plan/engines/readers";
import { credentialOf, keysOf } from "../plan/postgres/roles";
import { poolerLabels, poolerName, poolerPorts, secretNames, serviceHost } from "../plan/names";
import { type Progress } from "../shell/progress";
import { UserError } from "../shell/userError";
import { isReady, type KubeObject, selectorOf } from "./kubectl";
import { addressIn, freePort } from "./monitoring";
import { clusterObject, type Found, instancePods, isCalledPrimary, type Platform, placeOf } from "./platform";

/** A way from this machine to the database, with a certificate that is verified, and that leads to the new primary after a failover. */

export interface Way {
  readonly pooler?: string | undefined;
  readonly standby: boolean;
  /** @default - any that is free */
  readonly port?: number;
}

/** Where the way leads to. */
interface Goal {
  readonly what: string;
  /** Name that the server's certificate carries. */
  readonly host: string;
  /** Port of the containers. */
  readonly port: number;
  /** The pod to go to now; undefined while there is none. */
  readonly pod: () => Promise<KubeObject | undefined>;
}

const AGAIN_MS = 1000;

async function goalOf(platform: Platform, { pooler, standby }: Way): Promise<Goal> {
  const { settings, engine, kubectl } = platform;
  const { name, namespace } = settings.cluster;
  const names = settings.poolers.map((one) => one.name);
  if (pooler !== undefined && !names.includes(pooler))
    throw new UserError([
      `--pooler: "${pooler}" is no pooler of ${placeOf(platform)}. Allowed: ${names.join(", ") || "none is there"}. Fix: name one, or leave it out.`,
    ]);
  if (pooler !== undefined)
    return {
      what: `the pooler ${pooler}`,
      host: serviceHost(poolerName(name, pooler), namespace),
      port: poolerPorts.postgres,
      pod: async () =>
        (await kubectl.list("pods", namespace, selectorOf(poolerLabels(name, pooler)))).find(isReady),
    };
  const cluster = await clusterObject(platform);
  const facts = cluster && readers[engine.name].facts(cluster);
  if (facts === undefined) throw new UserError([`There is no cluster ${placeOf(platform)}.`]);
  if (standby && engine.can.standbys !== true)
    throw new UserError([
      `--standby: ${engine.can.standbys.because}. Allowed: must not be set. Fix: leave it out.`,
    ]);
  const { services, network } = facts;
  return {
    what: standby ? "a standby" : "the primary",
    host: serviceHost(standby ? services.standbys : services.primary, namespace),
    port: network.ports.postgres,
    pod: async () =>
      (await instancePods(platform)).find((pod) => isReady(pod) && isCalledPrimary(engine, pod) !== standby),
  };
}

async function caOf({ platform, subject }: Found): Promise<string> {
  const { name, namespace } = platform.settings.cluster;
  const object = subject === undefined ? await clusterObject(platform) : undefined;
  const place = object && platform.live.onCall.certificates(object).find(({ what }) => what === "CA");
  const { secretName, key } = subject?.plan.tls.ca ?? {
    secretName: place?.secret ?? secretNames.ca(name),
    key: place?.key ?? "ca.crt",
  };
  const secret = await platform.kubectl.run([
    ...["-n", namespace, "get", "secret", secretName],
    ...["-o", `jsonpath={.data.${key.replaceAll(".", "\\.")}}`],
  ]);
  return Buffer.from(secret.stdout, "base64").toString();
}

const uidOf = ({ metadata }: KubeObject): string => (metadata as { uid?: string }).uid ?? "";

/** Keeps the way open until the signal: to another pod as soon as that is the one. */
async function keepOpen(
  platform: Platform,
  goal: Goal,
  port: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { kubectl, settings } = platform;
  for (let said = ""; !signal.aborted;) {
    const pod = await goal.pod().catch(() => undefined);
    if (pod === undefined) {
      if (said !== "none")
        progress.line(`no pod is ${goal.what} at the moment; the way opens again with the next one`);
      said = "none";
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      continue;
    }
    const { name } = pod.metadata;
    const other = new AbortController();
    const end = AbortSignal.any([signal, other.signal]);
    const watch = (async () => {
      while (!end.aborted) {
        await delay(AGAIN_MS, undefined, { signal: end }).catch(() => undefined);
        if (end.aborted) return;
        // An API server that is silent for a moment changes nothing.
        const now = await goal.pod().catch(() => pod);
        if (now === undefined || uidOf(now) !== uidOf(pod)) other.abort();
      }
    })();
    await kubectl.stream(
      [
        ...["-n", settings.cluster.namespace, "port-forward", "--address", "127.0.0.1"],
        ...[`pod/${name}`, `${port}:${goal.port}`],
      ],
      (line) => {
        if (addressIn(line) === undefined || said === uidOf(pod)) return;
        if (said !== "") progress.line(`the way leads to ${name} now`);
        said = uidOf(pod);
      },
      end,
    );
    other.abort();
    await watch;
    if (!signal.aborted) await delay(200, undefined, { signal }).catch(() => undefined);
  }
}

/** The connection as libpq takes it: the name is verified, and the address is this machine's. */
export const connectionText = (
  { host, port, ca }: { host: string; port: number; ca: string },
  login: { user: string; database: string },
): string =>
  `host=${host} hostaddr=127.0.0.1 port=${port} dbname=${login.database} user=${login.user} sslmode=verify-full sslrootcert=${ca}`;

/** The port that is asked for, or a free one; throws a sentence where it can't be listened at. */
export const portOf = (wanted: number | undefined): Promise<number> =>
  freePort(wanted).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UserError([
      `--port: ${wanted} is not allowed: ${code === "EACCES" ? "this user may not listen there" : "another program listens there"}. Allowed: a free port. Fix: name another one, or leave it out.`,
    ]);
  });

/** Opens the way, says how to use it, and keeps it open until the signal. */
export async function connect(
  found: Found,
  way: Way,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { platform, subject } = found;
  const { namespace } = platform.settings.cluster;
  const goal = await goalOf(platform, way);
  const folder = await mkdtemp(join(tmpdir(), "pgp-connect-"));
  try {
    const ca = join(folder, "ca.crt");
    await writeFile(ca, await caOf(found));
    const port = await portOf(way.port);
    const [first] = subject?.settings.cluster.databases ?? [];
    const login = { user: first?.owner ?? "<role>", database: first?.name ?? "<database>" };
    const credential = first && subject && credentialOf(subject.plan.credentials, first.owner);
    const secret = credential?.secretName ?? "<secret>";
    const key = credential === undefined ? "password" : keysOf(credential).password.replaceAll(".", "\\.");
    progress.line(`a way to ${goal.what} of ${placeOf(platform)}, until Ctrl-C:`);
    progress.line(`  psql "${connectionText({ host: goal.host, port, ca }, login)}"`);
    progress.line(
      `  password: ${["kubectl", ...platform.kubectl.flags, "-n", namespace, "get", "secret", secret].join(" ")} -o jsonpath='{.data.${key}}' | base64 -d`,
    );
    await keepOpen(platform, goal, port, progress, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
