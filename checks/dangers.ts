import { booleanOf, parameterBytes, parameterSeconds } from "../settings/catalogue/index";
import { decodes } from "../plan/postgres/replication";
import { postgresMemory } from "../settings/quantity";
import type { Settings } from "../settings/schema";
import { reservedConnections } from "../settings/sums/connections";
import { memoryOf } from "../settings/sums/memory";
import type { Rule } from "./rule";

/** Values that a server takes and that lose data, stop the platform's own work, or keep the server from starting. */

const kB = 2 ** 10;
const MiB = 2 ** 20;

/** Parameters that must be on, with what comes of it otherwise. */
const on: Readonly<Record<string, string>> = {
  fsync: "without it a crash of the node leaves damaged data",
  full_page_writes: "without it a crash of the node leaves pages that are half written",
};

/** The same in the tier prod. */
const onInProd: Readonly<Record<string, string>> = {
  autovacuum: "without it tables grow for ever, and the server stops when transaction IDs run out",
  track_counts:
    "without it autovacuum finds nothing to do, and the server stops when transaction IDs run out",
};

const off: Readonly<Record<string, string>> = {
  zero_damaged_pages: "it deletes the rows of a damaged page without a word",
  ignore_checksum_failure: "damage would be read and copied on",
  ignore_invalid_pages: "a recovery would continue over damage",
  ignore_system_indexes: "every query would read the system's tables from end to end",
  data_sync_retry: "after a failed write the kernel may have lost the data that is tried again",
  allow_in_place_tablespaces: "it is for tests, and base backups lack what lies there",
  allow_system_table_mods: "a statement could break the system's tables",
  default_transaction_read_only: "the platform's own work, and every client's, must write",
  exit_on_error: "every error would end its session",
  jit_dump_bitcode: "it fills the data volume",
};

/** Delays that give a developer time to attach a debugger. */
const nothing = ["debug_discard_caches", "pre_auth_delay", "post_auth_delay"];

const never: Readonly<Record<string, string>> = {
  archive_library: "WAL is archived by archive_command, and a server takes one of both",
  archive_cleanup_command: "what is archived is deleted by backup.recoveryWindowDays",
  debug_io_direct: "it is for developers of PostgreSQL",
  promote_trigger_file: "the engine promotes",
  recovery_end_command: "the engine decides what is done at a promotion",
  recovery_min_apply_delay: "a failover would wait for the delayed standby",
};

/** Values of which one is refused. */
const values: Readonly<Record<string, readonly [refused: string, allowed: string]>> = {
  session_replication_role: ["replica", "origin or local: triggers and foreign keys wouldn't hold"],
  wal_level: ["minimal", "replica or logical: neither a standby nor a backup can be made of minimal"],
  io_method: ["io_uring", "worker or sync: the pods' seccomp profile, RuntimeDefault, forbids io_uring"],
  // With standbys the durability decides, and the parameter is refused whatever its value.
  synchronous_commit: ["off", "on or local: a crash would lose commits that were acknowledged"],
};

/** Times of which a bare number counts milliseconds, and is often meant for seconds. */
const bareMilliseconds =
  "statement_timeout transaction_timeout idle_in_transaction_session_timeout idle_session_timeout lock_timeout".split(
    " ",
  );
/** Times that end replication when they are shorter than a network's pause, whatever their unit. */
const secondsAtLeast = ["wal_sender_timeout", "wal_receiver_timeout"];

type Danger = readonly [allowed: string, fix?: string];

function found({ cluster, tier, backup }: Settings, name: string, text: string): Danger | undefined {
  const isOn = booleanOf(text);
  const why = on[name] ?? (tier === "prod" ? onInProd[name] : undefined);
  if (why !== undefined && isOn === false)
    return [`on${name in onInProd ? " in the tier prod" : ""}: ${why}`];
  if (name in off && isOn === true) return [`off: ${off[name]}`];
  if (name in never) return [`must not be set: ${never[name]}`];
  if (nothing.includes(name) && Number(text) !== 0) return ["0: it is for developers of PostgreSQL"];
  const [refused, allowed] = values[name] ?? [];
  if (allowed !== undefined && text.toLowerCase() === refused)
    return [allowed, "choose another, or remove it"];

  const seconds = parameterSeconds(cluster, name);
  const judged =
    secondsAtLeast.includes(name) || (bareMilliseconds.includes(name) && !/[a-z]\s*$/i.test(text));
  if (judged && seconds !== undefined && seconds > 0 && seconds < 1)
    return ["0, or a time of at least 1s: a bare number counts milliseconds", "write the unit, such as 30s"];
  if (name === "archive_timeout" && backup !== undefined && seconds !== undefined) {
    const most = backup.rpoMinutes * 60;
    if (seconds === 0 || seconds > most)
      return [
        `from 1s to ${most}s, since backup.rpoMinutes is ${backup.rpoMinutes}`,
        "leave it out: half of that is the default",
      ];
  }
  if (name === "autovacuum_naptime" && tier === "prod" && (seconds ?? 0) > 3600)
    return [`at most 1h in the tier prod: ${onInProd.autovacuum}`, "lower it, or remove it"];
  return undefined;
}

/** Why a parameter's value is refused, and the fix; undefined for one that harms nothing. */
export function dangerOf(
  settings: Settings,
  name: string,
  text: string,
): { readonly allowed: string; readonly fix: string } | undefined {
  const [allowed, fix = "remove it"] = found(settings, name, text) ?? [];
  return allowed === undefined ? undefined : { allowed, fix };
}

/** Numbers that the platform's own connections need, or that keep the server from starting. */
export const dangerousNumbers: Rule = ({ cluster }, report) => {
  const { instances, parameters, slots } = cluster;
  const number = (name: string): number | undefined =>
    name in parameters ? Number(parameters[name]) : undefined;
  const judge = (name: string, wrong: boolean, allowed: string) => {
    if (name in parameters && wrong)
      report(`cluster.parameters.${name}`, parameters[name], allowed, "correct it, or leave it out");
  };
  const standbys = instances - 1;
  const readers = decodes(cluster) ? Math.max(1, slots.length) : 0;
  const forReaders = readers > 0 ? ["one for each reader of changes"] : [];
  const forStandbys = standbys > 0 ? ["one for each standby"] : [];
  const least = (name: string, amount: number, what: readonly string[]) => {
    judge(name, (number(name) ?? amount) < amount, `at least ${amount}: ${what.join(", ")}`);
  };
  least("max_wal_senders", readers + (standbys > 0 ? standbys + 2 : 0), [
    ...forStandbys,
    ...(standbys > 0 ? ["two for a base backup"] : []),
    ...forReaders,
  ]);
  least("max_replication_slots", readers + standbys, [...forStandbys, ...forReaders]);
  const reserved = (number("superuser_reserved_connections") ?? 3) + (number("reserved_connections") ?? 0);
  for (const name of ["superuser_reserved_connections", "reserved_connections"])
    judge(
      name,
      reserved > reservedConnections,
      `at most ${reservedConnections} together with the other of superuser_reserved_connections and reserved_connections: ` +
        "poolers and clients may have all other connections",
    );
  const stack = 7680 * kB;
  judge(
    "max_stack_depth",
    (parameterBytes(cluster, "max_stack_depth") ?? 0) > stack,
    `at most ${stack / kB}kB: the kernel gives a process a stack of 8MB, and the server needs 512kB of it`,
  );
  const { sharedBuffers } = memoryOf(cluster);
  judge(
    "wal_buffers",
    (parameterBytes(cluster, "wal_buffers") ?? 0) > sharedBuffers,
    `at most shared_buffers, ${postgresMemory(sharedBuffers)}`,
  );
  // Two segments; the server doesn't start with less.
  for (const name of ["min_wal_size", "max_wal_size"])
    judge(name, (parameterBytes(cluster, name) ?? Infinity) < 32 * MiB, "at least 32MB, two segments of WAL");
};
