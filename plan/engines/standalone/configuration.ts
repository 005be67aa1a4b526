import { asset } from "../../../shell/asset";
import { join } from "node:path";
import type { Settings } from "../../../settings/schema";
import { volumeDefaults } from "../../../settings/schema/backup";
import { roles } from "../../names";
import { hostBasedAccess } from "../../postgres/access";
import { loginsOf } from "../../secrets/source";
import { applyScript } from "../../postgres/sql/scripts";
import { paths, ports } from "./names";

/** The server's files. */

const script = (name: string): string => asset(join(__dirname, "pod"), name);
/** What the server's container runs, and the one beside it that speaks to the object store; only a new pod reads others. */
export const runScript = script("run.sh");
export const storeScript = script("store.py");

/** Superuser of the server, who has no password and comes over the pod's socket alone. */
export const SUPERUSER = "postgres";
/** Name of the exporter's user in the server's container. */
const EXPORTER_USER = "nobody";
const MAP = "platform";

const quoted = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;

const files: Readonly<Record<string, string>> = {
  hba_file: `${paths.config}/pg_hba.conf`,
  ident_file: `${paths.config}/pg_ident.conf`,
  ssl_cert_file: `${paths.tls}/tls.crt`,
  ssl_key_file: `${paths.tls}/tls.key`,
  unix_socket_directories: paths.socket,
  port: String(ports.postgres),
  log_directory: paths.log,
  log_filename: "postgresql.log",
  archive_command: `/bin/bash ${paths.config}/archive.sh "%p" "%f"`,
};

const postgresqlConf = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries({ ...parameters, ...files })
    .map(([name, value]) => `${name} = ${quoted(value)}\n`)
    .join("");

/** Logins of base backups over the network. */
const backupLogins = (settings: Settings): string[] =>
  settings.backup === undefined ? [] : loginsOf(settings, roles.backup);

/** Rules in the order in which they are tried: the pod's own containers, then everyone else over the network. */
export const accessRules = (settings: Settings): string[] => [
  `local all ${SUPERUSER} peer map=${MAP}`,
  `local all ${roles.metrics} peer map=${MAP}`,
  // Whether a password holds, the server's own pod finds out.
  "hostssl postgres all 127.0.0.1/32 scram-sha-256",
  ...backupLogins(settings).map((login) => `hostssl postgres,replication ${login} all scram-sha-256`),
  ...hostBasedAccess(settings.cluster),
];

const scripts = [
  "run.sh",
  "recover.sh",
  "unpack.sh",
  "keep.sh",
  "expire.sh",
  "archive.sh",
  "fetch.sh",
  "ask.sh",
  "base.sh",
  "store.py",
];

/** Beside store.py, which has Barman's Python read it. */
const contentMd5 = asset(join(__dirname, "../../backup/scripts"), "sitecustomize.py");

/** Days for which base backups and WAL stay on the archive volume, as keep.sh reads them. */
const expiryOf = ({ backup }: Settings): string => {
  const { baseBackupDays, walRetentionDays } = backup?.volume ?? volumeDefaults;
  return `${baseBackupDays} ${walRetentionDays}\n`;
};

/** Which user of the system may be which role. */
const identities = [
  [SUPERUSER, SUPERUSER],
  [EXPORTER_USER, roles.metrics],
] as const;

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");

export const configurationFiles = (
  settings: Settings,
  parameters: Readonly<Record<string, string>>,
): Record<string, string> => ({
  "postgresql.conf": postgresqlConf(parameters),
  "pg_hba.conf": lines(accessRules(settings)),
  "pg_ident.conf": lines(identities.map(([user, role]) => `${MAP} ${user} ${role}`)),
  expiry: expiryOf(settings),
  ...(settings.backup?.targets.length ? { "sitecustomize.py": contentMd5 } : {}),
  ...Object.fromEntries(scripts.map((name) => [name, script(name)])),
  "apply.sh": applyScript,
});
