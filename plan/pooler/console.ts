import { poolerPorts } from "../names";
import { paths } from "./configuration";

/** PgBouncer's console lets in the user `pgbouncer` without a password, by the socket, from a process of PgBouncer's own user. */
const console = (command: string): string[] => [
  "psql",
  "-XAtq",
  ...["-h", paths.socket],
  ...["-p", String(poolerPorts.postgres)],
  ...["-U", "pgbouncer"],
  ...["-d", "pgbouncer"],
  ...["-c", command],
];

/** Run in a pooler's container: replaces every server connection when its transaction ends, with all that its sessions have prepared. */
export const reconnectCommand: readonly string[] = console("RECONNECT");
