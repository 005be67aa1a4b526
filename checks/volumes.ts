import { parameterBytes } from "../settings/catalogue/index";
import { bytesOf, postgresMemory } from "../settings/quantity";
import { walReservesOf } from "../settings/sums/wal";
import type { Rule } from "./rule";

/** What parameters let files grow to must fit on the volume that has them. */
export const volumes: Rule = ({ cluster }, report) => {
  const { size, walSize } = cluster.storage;
  const { parameters } = cluster;
  const dataBytes = bytesOf(size) ?? 0;
  const own = (name: string) => parameterBytes(cluster, name);
  const { volume: walBytes, maxWalSize: most, walKeepSize: kept } = walReservesOf(cluster);
  const refuse = (name: string, allowed: string) =>
    report(
      `cluster.parameters.${name}`,
      parameters[name],
      allowed,
      "lower it, or enlarge the volume; a bare number counts the parameter's own unit",
    );

  const room = walSize === undefined ? walBytes * 0.75 : walBytes * 0.8;
  const where =
    walSize === undefined
      ? `three quarters of cluster.storage.size (${size}), which holds the data too`
      : `four fifths of cluster.storage.walSize (${walSize})`;
  const larger = most >= kept ? "max_wal_size" : "wal_keep_size";
  const given = [larger, "max_wal_size", "wal_keep_size"].find((name) => name in parameters);
  if (given !== undefined && most + kept > room) {
    const other = given === "max_wal_size" ? "wal_keep_size" : "max_wal_size";
    const rest = given === "max_wal_size" ? kept : most;
    refuse(
      given,
      `together with ${other}, which is ${postgresMemory(rest)}, at most ${postgresMemory(room)}: ${where}`,
    );
  }
  if ((own("min_wal_size") ?? 0) > most)
    refuse("min_wal_size", `at most max_wal_size, which is ${postgresMemory(most)}`);
  const volume =
    walSize === undefined ? `cluster.storage.size (${size})` : `cluster.storage.walSize (${walSize})`;
  const slots = own("max_slot_wal_keep_size");
  if (slots !== undefined && slots >= walBytes)
    refuse("max_slot_wal_keep_size", `less than ${volume}: a slot that isn't read would fill the volume`);
  const temporary = own("temp_file_limit");
  if (temporary !== undefined && temporary >= dataBytes)
    refuse("temp_file_limit", `less than cluster.storage.size (${size}): one query would fill the volume`);
};
