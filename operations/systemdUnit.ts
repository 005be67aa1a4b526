import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { exists, projectDir } from "../shell/paths";
import { run } from "../shell/process";
import type { Progress } from "../shell/progress";
import { UserError } from "../shell/userError";
import { confirm } from "./confirm";

/** A unit of systemd that recovers a stack when this machine starts. */

/** What a unit takes over from the shell that asks for it: where clusters, caches and state are. */
const inherited = [
  "PATH",
  "HOME",
  "CONTEXT",
  "KUBECONFIG",
  "PGP_STATE",
  "PGP_CACHE",
  "PGP_STACKS",
  "XDG_CACHE_HOME",
  "XDG_STATE_HOME",
];

export interface UnitFor {
  readonly stack: string;
  /** Folder of the clone. */
  readonly folder: string;
  /** Variables of the shell. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A unit of the machine, or one of the user's own. */
  readonly system: boolean;
}

/** A word as systemd reads it: a percent sign begins a specifier, and a dollar sign a variable in a command's arguments. */
const word = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
const argument = (text: string): string => word(text.replaceAll("$", "$$$$"));

export const unitName = (stack: string): string => `pgplatform-recover-${stack}.service`;

/** The unit's text. Three attempts, half a minute apart; a recovery may have to copy a standby, so it has half an hour. */
export function unitText({ stack, folder, environment, system }: UnitFor): string {
  const set = inherited.flatMap((name) => {
    const value = environment[name];
    return value === undefined || value === "" ? [] : [`Environment=${word(`${name}=${value}`)}`];
  });
  return [
    "[Unit]",
    `Description=Postgres Platform: recover the stack ${stack} after a start of this machine`,
    ...(system ? ["After=network-online.target docker.service", "Wants=network-online.target"] : []),
    "StartLimitIntervalSec=2h",
    "StartLimitBurst=3",
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    `WorkingDirectory=${folder.replaceAll("%", "%%")}`,
    ...set,
    `ExecStart=${word(join(folder, "pgp"))} recover --stack ${argument(stack)}`,
    "Restart=on-failure",
    "RestartSec=30s",
    "TimeoutStartSec=30min",
    "# The built-in cluster's programs outlive the command, and have control groups of their own.",
    "KillMode=process",
    "Delegate=yes",
    "",
    "[Install]",
    `WantedBy=${system ? "multi-user.target" : "default.target"}`,
    "",
  ].join("\n");
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** The unit for this machine, shell and user. */
export const ownUnit = (stack: string): string =>
  unitText({ stack, folder: projectDir, environment: process.env, system: isRoot() });

/** Writes the unit after asking, and has systemd start it with the machine. */
export async function installUnit(stack: string, progress: Progress): Promise<string> {
  if (!(await exists("/run/systemd/system")))
    throw new UserError([
      "systemd doesn't run this machine, so nothing would start a unit. Fix: `pgp recover --print-unit` prints it for another machine; elsewhere call `pgp recover` from what starts services.",
    ]);
  const system = isRoot();
  const folder = system ? "/etc/systemd/system" : join(homedir(), ".config/systemd/user");
  const file = join(folder, unitName(stack));
  const text = ownUnit(stack);
  text.split("\n").forEach((line) => progress.line(`  ${line}`));
  await confirm(`${(await exists(file)) ? "Replace" : "Write"} ${file}, and start it with the machine?`);
  await mkdir(folder, { recursive: true });
  await writeFile(file, text, { mode: 0o644 });
  const systemctl = (...words: string[]) => run("systemctl", [...(system ? [] : ["--user"]), ...words]);
  await systemctl("daemon-reload");
  await systemctl("enable", unitName(stack));
  return system
    ? `${file} is enabled: the next start of this machine recovers the stack ${stack}. \`journalctl -u ${unitName(stack)}\` shows how it went.`
    : `${file} is enabled: your next login recovers the stack ${stack}. For a start without a login: \`loginctl enable-linger\`.`;
}
