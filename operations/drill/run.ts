import { randomBytes } from "node:crypto";
import { healthCheckLabels } from "../../plan/names";
import { asset } from "../../shell/asset";
import type { Progress } from "../../shell/progress";
import { UserError } from "../../shell/userError";
import { confirm } from "../confirm";
import { clientPod, type Subject, waitUntilDone, writersOf } from "../health";
import { selectorOf } from "../kubectl";
import { type Found, placeOf } from "../platform";
import { askPrimary } from "../primary";
import { runOnce } from "../shortPod";
import { type DrillFault, drillFaults, neverCaused, pause } from "./faults";
import { lostOf, pauseOf, seenIn } from "./judge";
import type { Drill, DrillResult } from "./page";

/** Faults caused on a running platform while two clients write: how long they waited, and whether anything acknowledged is lost. */

/** How long the clients write before the fault, and at least after the bound. */
const BEFORE_SECONDS = 8;
const AFTER_SECONDS = 15;
/** How long the clients' pod may take until their first row. */
const FIRST_ROW_SECONDS = 60;

const script = asset(__dirname, "writer.sh");

export interface DrillOptions {
  /** Names of the faults. @default - all that the platform can have */
  readonly faults?: readonly string[];
  /** How long writes may pause. */
  readonly boundSeconds: number;
  /** Whether the tier prod is known to be one. */
  readonly knows: boolean;
}

/** The faults that are asked for; a sentence for a name that there isn't. */
export function chosenFaults(names: readonly string[] | undefined): readonly DrillFault[] {
  const known = drillFaults.map(({ name }) => name);
  for (const name of names ?? [])
    if (!known.includes(name))
      throw new UserError([
        `--faults: "${name}" is not allowed. Allowed: ${known.join(", ")}. Fix: name some of them, with commas between.`,
      ]);
  return names === undefined ? drillFaults : drillFaults.filter(({ name }) => names.includes(name));
}

/** Rows of the drill that the primary has; undefined where it doesn't answer. */
async function rowsOf(subject: Subject, drill: string, patienceMs: number): Promise<Set<string> | undefined> {
  const said = await askPrimary(
    subject,
    [`select value from pgplatform.heartbeat where value like '${drill} %'`],
    patienceMs,
    subject.settings.cluster.databases[0]?.name ?? "postgres",
  );
  return said === undefined ? undefined : new Set(said.split("\n").filter((line) => line !== ""));
}

/** Whether a client of the drill has written, within a minute. */
async function writes(subject: Subject, drill: string, signal: AbortSignal): Promise<boolean> {
  for (const end = Date.now() + FIRST_ROW_SECONDS * 1000; Date.now() < end; await pause(1, signal)) {
    const rows = await rowsOf(subject, drill, 10_000).catch(() => undefined);
    if (rows !== undefined && rows.size > 0) return true;
  }
  return false;
}

async function one(
  found: Found,
  subject: Subject,
  fault: DrillFault,
  boundSeconds: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<DrillResult> {
  const lacks = fault.lacks(found);
  const { name, does } = fault;
  if (lacks !== undefined) return { fault: name, does, result: "skipped", says: lacks, ways: [] };
  const id = `drill-${randomBytes(4).toString("hex")}`;
  const seconds = BEFORE_SECONDS + boundSeconds + AFTER_SECONDS;
  const { pooled, direct } = writersOf(subject);
  const writers = [...(pooled === undefined ? [] : [`pooled=${pooled}`]), `direct=${direct}`].join(" ");
  const { lines, failure } = await progress.step(`${name}: ${does}`, async (context) => {
    const pod = runOnce(subject, context, {
      prefix: "pgp-drill",
      labels: healthCheckLabels,
      seconds: seconds + 30,
      pod: (podName) =>
        clientPod(subject, subject.settings.images.postgresql, podName, {
          script,
          seconds: seconds + 60,
          variables: { DRILL: id, WRITERS: writers, WRITE_SECONDS: String(seconds) },
        }),
    });
    pod.catch(() => undefined);
    const { kubectl, settings } = found.platform;
    const remove = ["-n", settings.cluster.namespace, "delete", "pod", "-l", selectorOf(healthCheckLabels)];
    // An interrupted drill doesn't wait for its clients: without their pod they have ended.
    const end = () => void kubectl.run([...remove, "--wait=false"]).catch(() => undefined);
    signal.addEventListener("abort", end, { once: true });
    try {
      if (!(await writes(subject, id, signal))) {
        end();
        return {
          lines: [],
          failure: `its clients wrote nothing within ${FIRST_ROW_SECONDS} s; it was not caused`,
        };
      }
      await pause(BEFORE_SECONDS, signal);
      // A fault that can't be caused is told when the clients have ended.
      const caused = await fault.cause(found, progress, signal).then(
        () => undefined,
        (error: unknown) => (error as Error).message,
      );
      const { lines: printed, succeeded, why } = await pod;
      if (!succeeded) throw new Error(`the drill's clients failed: ${printed.at(-1) ?? why}`);
      await waitUntilDone(subject, context, signal);
      return { lines: printed, failure: caused };
    } finally {
      signal.removeEventListener("abort", end);
    }
  });
  if (failure !== undefined) return { fault: name, does, result: "failed", says: failure, ways: [] };
  const seen = seenIn(lines);
  const kept = await rowsOf(subject, id, 60_000);
  if (kept === undefined)
    throw new Error("the primary does not answer after the fault, so nothing can be judged");
  const endsAt = Math.max(...seen.flatMap(({ acks, errors }) => [...acks, ...errors].map(({ at }) => at)));
  const begins = Math.min(...seen.flatMap(({ acks, errors }) => [...acks, ...errors].map(({ at }) => at)));
  const ways = seen.map((client) => ({
    way: client.way,
    pauseSeconds: pauseOf(client, endsAt).seconds,
    acknowledged: client.acks.length,
    errors: client.errors.length,
    ...(client.errors[0] && { firstError: client.errors[0].why }),
    lost: lostOf(client, id, kept).length,
    perSecond: Array.from(
      { length: Math.ceil(endsAt - begins) },
      (_, second) => client.acks.filter(({ at }) => Math.floor(at - begins) === second).length,
    ),
  }));
  const faults = ways.flatMap(({ way, pauseSeconds, lost, acknowledged }) => [
    ...(acknowledged === 0 ? [`the ${way} client wrote nothing`] : []),
    ...(lost > 0 ? [`${lost} acknowledged rows of the ${way} client are lost`] : []),
    ...(pauseSeconds > boundSeconds ? [`the ${way} client waited ${pauseSeconds.toFixed(1)} s`] : []),
  ]);
  return {
    fault: name,
    does,
    result: faults.length === 0 ? "passed" : "failed",
    says: faults.join("; "),
    ways,
  };
}

/** Facts of the platform that the evidence is about. */
async function factsOf(subject: Subject): Promise<Drill["facts"]> {
  const { cluster, poolers, images } = subject.settings;
  const version = (await askPrimary(subject, ["show server_version"]))?.trim() ?? "no answer";
  return [
    { what: "PostgreSQL", value: `${version}, ${images.postgresql}` },
    { what: "instances", value: String(cluster.instances) },
    { what: "durability", value: cluster.durability },
    { what: "failover", value: cluster.failover },
    { what: "poolers", value: poolers.map(({ name }) => name).join(", ") || "none" },
  ];
}

export async function runDrill(
  found: Found,
  { faults: names, boundSeconds, knows }: DrillOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Drill> {
  const { subject, platform } = found;
  if (subject === undefined)
    throw new UserError([
      "drill needs the stack at hand, for its clients' role. Fix: run it in the clone, with --stack.",
    ]);
  const faults = chosenFaults(names);
  if (subject.settings.tier === "prod" && !knows)
    throw new UserError([
      `${placeOf(platform)} is of the tier prod, and a drill interrupts its clients. Fix: --i-know, when they may be.`,
    ]);
  progress.line(
    `drill of ${placeOf(platform)} (${platform.engine.name}, context ${found.context}), while two clients write:`,
  );
  for (const fault of faults) {
    const lacks = fault.lacks(found);
    progress.line(`  ${fault.name}: ${lacks === undefined ? fault.does : `left out, since ${lacks}`}`);
  }
  await confirm(`Cause ${faults.length === 1 ? "it" : "them, one after another"}, on this platform?`);
  await waitUntilDone(subject, { say: () => undefined, detail: () => undefined }, signal);
  const drills: DrillResult[] = [];
  for (const fault of faults) drills.push(await one(found, subject, fault, boundSeconds, progress, signal));
  const { name, namespace } = platform.settings.cluster;
  return {
    at: new Date().toISOString(),
    namespace,
    cluster: name,
    engine: platform.engine.name,
    context: found.context,
    boundSeconds,
    facts: await factsOf(subject),
    drills,
    notTried: [
      ...drillFaults.filter((fault) => !faults.includes(fault)).map(({ does }) => `to ${does}`),
      ...drills.filter(({ result }) => result === "skipped").map(({ does, says }) => `to ${does}: ${says}`),
      ...neverCaused,
    ],
    failed: drills.filter(({ result }) => result === "failed").length,
  };
}
