import { setTimeout as delay } from "node:timers/promises";
import { backupNames } from "../plan/backup/names";
import { secondsAt } from "../plan/backup/restore";
import { parseResult, type ResultOf, type Unknown } from "../plan/backup/results";
import { environment } from "../plan/containers";
import type { KubernetesObject } from "../plan/objects";
import { momentAllowed, momentFix, normalizeMoment } from "../settings/moment";
import { UserError } from "../shell/userError";
import { type Subject } from "./health";
import { type KubeObject } from "./kubectl";
import { type StepContext } from "../shell/progress";

type Report = ResultOf<"report">;

/** The report in a container's log; the last line that may have been meant as one where none is understood. */
export function reportIn(log: string): Report | Unknown {
  const lines = log.trim().split("\n");
  for (const line of lines.toReversed()) {
    const result = parseResult(line, "report");
    if (result.kind === "report") return result;
  }
  return { kind: "unknown", line: lines.findLast((line) => line.startsWith("{")) ?? lines.at(-1) ?? "" };
}

/** Whether a dump was wanted and isn't there. */
const lacksDump = ({ dump, dumpNote }: Report): boolean => dump === "" && dumpNote !== "";

/** What a verification found, in a sentence. */
export function verdictOf(target: string, report: Report): string {
  const { result, backup, to, why, note, ...found } = report;
  const late = result === "late" ? `; but ${why}` : "";
  if (result === "failed")
    return `the restore of target ${target}${backup === "" ? "" : `, base backup ${backup}`}, failed: ${why}`;
  const mebibytes = ((found.bytes ?? 0) / 2 ** 20).toFixed(0);
  const rpo =
    found.rpoSeconds === null
      ? ""
      : `, newest transaction ${found.rpoSeconds} s old${to === "" ? "" : " then"}`;
  const { dump, dumpBytes, dumpNote } = found;
  const dumped = dump === "" ? "" : `, dump ${dump} of ${((dumpBytes ?? 0) / 2 ** 20).toFixed(1)} MiB`;
  const more = [
    note,
    found.expiry === "done" || to !== "" ? "" : `expiry: ${found.expiry}`,
    lacksDump(report) ? `no dump: ${dumpNote}` : dumpNote,
  ].filter((one) => one !== "");
  return (
    `target ${target}, base backup ${backup}, is restored${to === "" ? "" : ` to ${to}`} and whole: ${mebibytes} MiB in ${found.rtoSeconds} s${rpo}${dumped}` +
    (more.length > 0 ? ` (${more.join("; ")})` : "") +
    late
  );
}

const stateOf = ({ status }: KubeObject): "running" | "ended" =>
  ((status?.conditions ?? []) as { type: string; status: string }[]).some(
    ({ type, status }) => ["Complete", "Failed"].includes(type) && status === "True",
  )
    ? "ended"
    : "running";

/** What the Job's pod does at the moment: its first container that has not ended. */
function doing(pod: KubeObject | undefined): string {
  const { initContainerStatuses: first = [], containerStatuses: then = [] } = (pod?.status ?? {}) as Record<
    string,
    { name: string; state?: { terminated?: object; waiting?: { reason?: string } } }[]
  >;
  const current = [...first.filter(({ name }) => name !== "serve"), ...then].find(
    ({ state }) => state?.terminated === undefined,
  );
  return current === undefined
    ? "waiting for a pod"
    : `${current.name} ${current.state?.waiting?.reason ?? ""}`;
}

interface Job extends KubernetesObject {
  spec: { template: { spec: Record<"initContainers" | "containers", { env: object[] }[]> } };
}

/** The Job with variables for all of its containers. */
function told(job: Job, variables: Readonly<Record<string, string>>): Job {
  const { initContainers, containers } = job.spec.template.spec;
  for (const { env } of [...initContainers, ...containers]) env.push(...environment(variables));
  return job;
}

/**
 * Restores the newest backup of a target now, as the schedule does, or the one before the moment `to`, up to then; returns what was found. Throws when it
 * failed.
 */
export async function verify(
  subject: Subject,
  target: string,
  to: string | undefined,
  context: StepContext,
  signal?: AbortSignal,
): Promise<string> {
  const { kubectl, settings } = subject;
  const { name: cluster, namespace } = settings.cluster;
  const names = settings.backup?.targets.map(({ name }) => name) ?? [];
  const index = names.indexOf(target);
  if (settings.backup?.verify.enabled !== true || index === -1)
    throw new UserError([
      `TARGET: ${JSON.stringify(target)} is not allowed. Allowed: ${names.join(" or ") || "none, since pgplatform:backup is not set or backup.verify is off"}. Fix: name another, or set pgplatform:backup.`,
    ]);
  const job = `${backupNames.verification(cluster, index)}-${Date.now().toString(36).slice(-6)}`;
  const from = `--from=cronjob/${backupNames.verification(cluster, index)}`;
  const end = to === undefined ? undefined : normalizeMoment(to);
  if (to !== undefined && end === undefined)
    throw new UserError([
      `TIME: ${JSON.stringify(to)} is not allowed. Allowed: ${momentAllowed}. Fix: ${momentFix}.`,
    ]);
  const create = ["-n", namespace, "create", "job", job, from, "--dry-run=client", "-o", "json"];
  const object = JSON.parse((await kubectl.run(create)).stdout) as Job;
  const moment: Record<string, string> = end === undefined ? {} : { TO: end, TO_SECONDS: secondsAt(end) };
  await kubectl.apply(told(object, moment));
  let kept = false;
  try {
    for (;;) {
      const live = await kubectl.get("job", namespace, job);
      const [pod] = await kubectl.list("pods", namespace, `batch.kubernetes.io/job-name=${job}`);
      if (live === undefined || stateOf(live) === "ended") break;
      context.detail(doing(pod));
      signal?.throwIfAborted();
      await delay(1000);
    }
    const log = async (container: string) =>
      (await kubectl.run(["-n", namespace, "logs", `job/${job}`, "-c", container], { allowFailure: true }))
        .stdout;
    const report = reportIn(await log("report"));
    if (report.kind === "unknown")
      throw new Error(
        `the verification ${job} of target ${target} has no report: ${report.line || "its pod is gone"}`,
      );
    const verdict = verdictOf(target, report);
    if (report.result !== "passed" || lacksDump(report)) {
      kept = true;
      throw new Error(`${verdict}; the Job ${namespace}/${job} stays for a day, with its logs`);
    }
    return verdict;
  } finally {
    if (!kept)
      await kubectl.run(["-n", namespace, "delete", "job", job, "--ignore-not-found", "--wait=false"]);
  }
}
