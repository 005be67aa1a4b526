import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { clientPodSpec } from "../plan/client";
import { tmpMount, tmpVolume } from "../plan/containers";
import type { LiveReader, Progress as EngineProgress, Shape } from "../plan/engines/live";
import type { Plan } from "../plan/plan";
import type { KubernetesObject } from "../plan/objects";
import { type EnginePlanner } from "../plan/engines/planner";
import { healthCheckLabels, poolerName, roles, secretNames, serviceHost } from "../plan/names";
import { type Settings } from "../settings/schema";
import { copyMinutes, dataBytes } from "../settings/sums/sizes";
import { type Kubectl, resourceOf, selectorOf } from "./kubectl";
import { runOnce } from "./shortPod";
import { type StepContext } from "../shell/progress";

/** How long PostgreSQL may take to be whole again, a re-made standby of little data included. */
const READY_MINUTES = 15;
/** How long the client may take: the row from it to a standby, and the archive to catch up. */
const PROBE_SECONDS = 150;
/** How often in a row, a second apart, an object must be well: the operator needs a moment to see a change. */
const LOOKS = 3;

/** What the health check looks at. */
export interface Subject {
  kubectl: Kubectl;
  settings: Settings;
  engine: EnginePlanner;
  live: LiveReader;
  plan: Plan;
}

/** The plan's object that stands for the database cluster, and what it is made of. */
export function plannedCluster({ engine, live, plan }: Subject): { object: KubernetesObject; shape: Shape } {
  for (const { object } of plan.objects) {
    const shape = live.shape(object);
    if (shape) return { object, shape };
  }
  throw new Error(`the engine ${engine.name} plans no cluster`);
}

/** The objects of the plan that the engine can judge; the archive is another matter. */
export const judged = ({ plan, live }: Subject): KubernetesObject[] =>
  plan.objects
    .filter(({ waitFor, object }) => waitFor !== undefined || live.shape(object) !== undefined)
    .map(({ object }) => object);

/** Whether a planned object has got where it should be, by its live state. */
export async function judge(
  { kubectl, live: reader }: Subject,
  object: KubernetesObject,
): Promise<EngineProgress> {
  const { name, namespace = "" } = object.metadata;
  const live = await kubectl.get(resourceOf(object.apiVersion, object.kind), namespace, name);
  return live ? reader.progress(live) : { done: false, why: "it is not there" };
}

/** An instance that the engine's operator has yet to recreate: the cluster's object may say healthy meanwhile. */
async function unrolled({ kubectl, settings, engine, live }: Subject): Promise<string | undefined> {
  const { namespace, name } = settings.cluster;
  const pods = await kubectl.list("pods", namespace, selectorOf(engine.instancePods.labels(name)));
  const pod = pods.find((one) => !live.progress(one).done);
  return pod && `${pod.metadata.name}: ${live.progress(pod).why}`;
}

/** Waits until every object that the engine can judge is where it should be, and so is every instance. */
export async function waitUntilDone(
  subject: Subject,
  context: StepContext,
  signal?: AbortSignal,
): Promise<void> {
  const minutes = copyMinutes(dataBytes(subject.settings.cluster), READY_MINUTES);
  const deadline = Date.now() + minutes * 60_000;
  const objects = judged(subject);
  for (let well = 0; ;) {
    const states = await Promise.all(objects.map((object) => judge(subject, object)));
    const index = states.findIndex(({ done }) => !done);
    const { kind, metadata } = objects[index] ?? {};
    const waiting =
      metadata === undefined ? await unrolled(subject) : `${kind} ${metadata.name}: ${states[index]?.why}`;
    well = waiting === undefined ? well + 1 : 0;
    if (well === LOOKS) return;
    if (waiting !== undefined) {
      context.detail(waiting);
      if (Date.now() > deadline) {
        const { namespace } = subject.settings.cluster;
        throw new Error(`namespace ${namespace} is not healthy after ${minutes} minutes: ${waiting}`);
      }
    }
    if (signal?.aborted === true) throw new Error("interrupted");
    await delay(1000);
  }
}

const SCRIPT = String.raw`
set -u
ask() { psql --host "$1" --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 --set value="$VALUE"; }
until_done() { # what host sql expected seconds
  end=$((SECONDS + $5))
  while [ "$SECONDS" -lt "$end" ]; do
    if answer=$(ask "$2" <<<"$3" 2>&1) && [ "$answer" = "$4" ]; then
      echo "$1"
      return 0
    fi
    sleep 1
  done
  echo "could not do this: $1; the last answer was: $answer"
  return 1
}
until_done "a row written through $WRITER" "$WRITER" \
  "delete from pgplatform.heartbeat where written_at < now() - interval '1 day'; insert into pgplatform.heartbeat (value) values (:'value') returning value;" \
  "$VALUE" 30 || exit 1
# What couldn't be archived three times is tried again after a minute.
[ -z "$ARCHIVES" ] || until_done "WAL is archived" "$WRITER" \
  "select case when last_failed_time > coalesce(last_archived_time, '-infinity') then last_failed_wal || ' is not archived' else 'well' end from pg_stat_archiver;" \
  well 75 || exit 1
[ -n "$READER" ] || exit 0
until_done "the row read on a standby through $READER" "$READER" \
  "select value from pgplatform.heartbeat where value = :'value' and pg_is_in_recovery() limit 1;" "$VALUE" 30 || exit 1
`;

/** Where a client of the application's database writes: the pooler of that database, else the primary; where it writes past it, and where it reads. */
export function writersOf({ settings, plan }: Subject): { pooled?: string; direct: string; reader: string } {
  const { cluster } = settings;
  const database = cluster.databases[0]?.name ?? "postgres";
  const pooler = settings.poolers.find(
    (candidate) => candidate.database === database && candidate.reads === "primary",
  );
  return {
    ...(pooler && { pooled: serviceHost(poolerName(cluster.name, pooler.name), cluster.namespace) }),
    direct: plan.endpoints.primary.host,
    reader: cluster.instances > 1 ? plan.endpoints.standbys.host : "",
  };
}

/** A client pod that runs a script as the role of the health check: an ordinary client, let in by a flow that the plan lists. */
export function clientPod(
  { settings, plan }: Subject,
  image: string,
  name: string,
  { script, variables, seconds }: ClientScript,
): object {
  const { cluster } = settings;
  const health = secretNames.health(cluster.name);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: cluster.namespace, labels: healthCheckLabels },
    spec: {
      activeDeadlineSeconds: seconds,
      ...clientPodSpec(settings, plan, {
        name: "client",
        image,
        command: ["bash", "-c", script],
        variables: {
          PGUSER: roles.health,
          PGDATABASE: cluster.databases[0]?.name ?? "postgres",
          ...variables,
        },
        secrets: [{ name: "PGPASSWORD", valueFrom: { secretKeyRef: { name: health, key: "password" } } }],
        // bash keeps here-strings in files.
        mounts: [tmpMount],
        volumes: [tmpVolume({ medium: "Memory", sizeLimit: "1Mi" })],
      }),
    },
  };
}

/** What a client pod runs, and for how long at most. */
export interface ClientScript {
  readonly script: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly seconds: number;
}

/** The client pod of the check. */
export function probePod(subject: Subject, image: string, name: string, value: string): object {
  const { pooled, direct, reader } = writersOf(subject);
  return clientPod(subject, image, name, {
    script: SCRIPT,
    seconds: PROBE_SECONDS,
    variables: {
      WRITER: pooled ?? direct,
      READER: reader,
      ARCHIVES: subject.settings.backup === undefined ? "" : "yes",
      VALUE: value,
    },
  });
}

/**
 * Writes a row with a random value through the pooler and reads it on a standby, as a client in the cluster does: by the
 * Services' names, over TLS with verify-full, through the network policies. Throws with the client's last words when it can't.
 */
export async function writeAndRead(subject: Subject, context: StepContext): Promise<void> {
  const image = subject.settings.images.postgresql;
  const value = randomBytes(8).toString("hex");
  const { succeeded, why, lines } = await runOnce(subject, context, {
    prefix: "pgp-health",
    labels: healthCheckLabels,
    seconds: PROBE_SECONDS,
    pod: (name) => probePod(subject, image, name, value),
  });
  if (!succeeded) throw new Error(`the health check's client failed: ${lines.at(-1) ?? why}`);
  lines.forEach((line) => context.say(line));
}
