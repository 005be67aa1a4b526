import { attached } from "../shell/attached";
import { UserError } from "../shell/userError";
import { inServer } from "./inContainer";
import { instancePods, isCalledPrimary, type Platform, placeOf } from "./platform";

export interface PsqlOptions {
  /** @default - the primary */
  readonly instance?: string | undefined;
  readonly database: string;
  readonly args: readonly string[];
}

/** The pod of an instance by its name, or that of the primary; a sentence where there is none. */
export async function instanceCalled(platform: Platform, instance?: string): Promise<string> {
  const pods = await instancePods(platform);
  const names = pods.map(({ metadata }) => metadata.name).sort();
  const found =
    instance === undefined
      ? pods.find((pod) => isCalledPrimary(platform.engine, pod))?.metadata.name
      : names.find((name) => name === instance);
  if (found !== undefined) return found;
  throw new UserError([
    instance === undefined
      ? `${placeOf(platform)} has no primary at the moment: \`pgp status\` says why; --instance names one of ${names.join(", ") || "none"}.`
      : `instance: "${instance}" is no instance of ${placeOf(platform)}. Allowed: ${names.join(", ") || "none is there"}. Fix: name one of them.`,
  ]);
}

/** psql as the superuser, in the instance's own pod and over its socket: no password, no network. Gives psql's exit code. */
export async function openPsql(
  platform: Platform,
  { instance, database, args }: PsqlOptions,
): Promise<number> {
  const { kubectl } = platform;
  const pod = await instanceCalled(platform, instance);
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  const at = inServer(platform, pod, terminal ? "-it" : "-i");
  const psql = ["env", "PGAPPNAME=pgp psql", "psql", "-U", "postgres", "-d", database, ...args];
  return attached("kubectl", [...kubectl.flags, ...at, ...psql], kubectl.environment);
}
