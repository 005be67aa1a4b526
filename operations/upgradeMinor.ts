import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { majorOf as majorOfTag } from "../checks/images";
import { stacksDir } from "../shell/paths";
import type { Progress } from "../shell/progress";
import { UserError } from "../shell/userError";
import { announcements } from "./announce";
import { backUp } from "./backup";
import { confirm } from "./confirm";
import { subjectWith } from "./context";
import { plannedCluster, type Subject } from "./health";
import { inServer } from "./inContainer";
import { type KubeObject, liveOf } from "./kubectl";
import { instancePods } from "./platform";
import { isLeft } from "./rolling";
import { runningSubject } from "./running";
import { withValues } from "./stackText";
import { imagesIn } from "./stuck";
import { up } from "./up";

/** Another minor version of PostgreSQL: another image, with a base backup before it and a way back. */

/** The major version that an image's tag begins with, behind letters that some put before it; undefined where it doesn't say one. */
export const majorOf = (image: string): string | undefined =>
  majorOfTag(image.replace(/:(?:v|pg)(?=\d)/, ":"));

/** A stack file with another image of PostgreSQL; all else of it stays as it is, comments too. */
export const withImage = (text: string, image: string): string =>
  withValues(text, [{ path: ["config", "pgplatform:images", "postgresql"], value: image }]);

/** What each instance's server says that it is. */
async function versions(subject: Subject, pods: readonly KubeObject[]): Promise<Record<string, string>> {
  const found = await Promise.all(
    pods.map(async ({ metadata: { name } }) => {
      const { stdout, exitCode } = await subject.kubectl.run(
        [...inServer(subject, name), "psql", "-XAtqU", "postgres", "-c", "show server_version"],
        { allowFailure: true, timeoutMs: 20_000 },
      );
      return [name, exitCode === 0 ? (stdout.trim().split(" ")[0] ?? "") : "no answer"] as const;
    }),
  );
  return Object.fromEntries(found);
}

const listOf = (all: Readonly<Record<string, string>>): string =>
  [...new Set(Object.values(all))].sort().join(", ");

/** Refuses an image of another major version, or one whose tag doesn't say which it has. */
export function refuseMajor(image: string, major: string): void {
  const asked = majorOf(image);
  if (asked === major) return;
  throw new UserError([
    `--image: "${image}" is not allowed. Allowed: an image of PostgreSQL ${major}, whose tag begins with ${major}. Fix: ` +
      (asked === undefined
        ? "name one with such a tag."
        : "name one, or set cluster.postgresVersion for another major version."),
  ]);
}

/** Plans, asks, makes a base backup, rolls the instances, and looks what they run then. Returns the closing line. */
export async function upgradeMinor(
  stackName: string,
  image: string | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const { subject, target: context } = await runningSubject(stackName, progress, signal);
  const { settings, kubectl, live } = subject;
  const { object } = plannedCluster(subject);
  const { name, namespace, postgresVersion } = settings.cluster;
  const wanted = image ?? settings.images.postgresql;
  refuseMajor(wanted, postgresVersion);

  const found = await liveOf(kubectl, object);
  const shape = found && live.shape(found);
  if (shape === undefined)
    throw new UserError([`Cluster ${namespace}/${name} is not there: \`pgp status\` says what is.`]);
  const pods = await instancePods(subject);
  const before = await versions(subject, pods);
  // An update that was killed has told the engine, and may have left the roll to be ended.
  const told = shape.image === wanted;
  const rolled = pods.length === shape.instances && pods.every(({ spec }) => imagesIn(spec).includes(wanted));
  if (told && rolled && !(await isLeft(subject)))
    return `Nothing to do: every instance of ${namespace}/${name} is told to run ${wanted} (${listOf(before)}).`;

  const changed = subjectWith(
    { ...settings, images: { ...settings.images, postgresql: wanted } },
    context,
    [],
    signal,
  );
  progress.line("plan:");
  progress.line(`  PostgreSQL ${listOf(before)}, ${shape.image}`);
  progress.line(`  becomes ${wanted}`);
  for (const line of announcements(subject, shape, plannedCluster(changed).shape, undefined))
    progress.line(`  ${line}`);
  const [target] = settings.backup?.targets ?? [];
  if (told) progress.line("  the roll was begun before, and is ended now: no other base backup comes first");
  else if (target !== undefined) progress.line(`  a base backup first, in target ${target.name}`);
  else progress.line("  NO base backup first: the stack has no target");
  const back = `pgp upgrade minor --stack ${stackName} --image ${told ? "<the former one>" : shape.image}`;
  progress.line(`  the way back: ${back}`);
  await confirm(`Roll the instances of ${namespace}/${name} now?`);

  if (target !== undefined && !told)
    await progress.step("base backup", (context) => backUp(subject, context, signal));
  if (image !== undefined) {
    const file = join(stacksDir, `Pulumi.${stackName}.yaml`);
    await writeFile(file, withImage(await readFile(file, "utf8"), image));
    progress.line(`images.postgresql of ${file} is ${image}`);
  }
  try {
    await up(stackName, progress, signal);
  } catch (error) {
    progress.line(`the way back: ${back}`);
    throw error;
  }
  const after = await versions(subject, await instancePods(subject));
  const wrong = Object.entries(after).filter(([, version]) => version.split(".")[0] !== postgresVersion);
  if (wrong.length > 0)
    throw new Error(
      `${wrong.map(([pod, version]) => `${pod}: ${version}`).join(", ")}, and not PostgreSQL ${postgresVersion}. The way back: ${back}`,
    );
  return `PostgreSQL ${listOf(after)} on ${Object.keys(after).length} instances of ${namespace}/${name}; it was ${listOf(before)}. The way back: ${back}`;
}
