import { bytesOf } from "../quantity";
import type { Settings } from "../schema";

/** Memory and times that follow from how much data there may be. */

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** Of the data and the WAL together, as large as their volumes let them be. */
export const dataBytes = ({
  storage: { size, walSize },
}: {
  readonly storage: { readonly size: string; readonly walSize?: string | undefined };
}): number => (bytesOf(size) ?? 0) + (bytesOf(walSize ?? "0") ?? 0);

const quantity = (bytes: number): string => {
  const steps = Math.ceil(bytes / (64 * MiB)) * 64;
  return steps % 1024 === 0 ? `${steps / 1024}Gi` : `${steps}Mi`;
};

/**
 * Memory of what archives, restores, copies and verifies. A restore of 0.9 GB was killed at 512 MiB: pages of written files count, and those that wait for
 * the disk can't be given back. So 1 GiB, and for lists of files and segments, which tools hold in memory (about 1 KiB each), and for larger parts of larger
 * files, a 512th of the data; at most 8 GiB. The second part is an estimate: nothing larger than 10 GB was ever restored here.
 */
export const backupMemory = (bytes: number): string => quantity(Math.min(GiB + bytes / 512, 8 * GiB));

/** Cores of the same: one for what compresses, one for what encrypts, sends and receives; more where there is much of it at a time. */
export const backupCores = (bytes: number): string => (bytes < 2048 * GiB ? "2" : "4");

/** A part of an amount of memory, and at least the other. */
export const shareOf = (amount: string, part: number, least: string): string =>
  quantity(Math.max((bytesOf(amount) ?? 0) / part, bytesOf(least) ?? 0));

/** The larger of two amounts, as it was written. */
export const larger = (one: string, other: string): string =>
  (bytesOf(one) ?? 0) >= (bytesOf(other) ?? 0) ? one : other;

/** Minutes for a copy of all data, by half a minute for each GiB, which a slow disk or store still does; for little data `least`. */
export const copyMinutes = (bytes: number, least: number): number =>
  Math.max(least, Math.ceil(10 + bytes / (2 * GiB)));

/** Hours for a restore with checks, by 100 GiB an hour, beside those that little data has. */
export const copyHours = (bytes: number, least: number): number => least + Math.floor(bytes / (100 * GiB));

/** Seconds until a server has written its buffers and stopped, by 64 MiB a second. */
export const stopSeconds = (sharedBuffers: number, least: number): number =>
  Math.max(least, Math.ceil(sharedBuffers / (64 * MiB)));

/** Room for lists of files and segments in a folder for temporary files. */
export const listRoom = (bytes: number): string => `${Math.max(64, Math.ceil(bytes / GiB))}Mi`;

/** Memory of a metrics exporter: more databases have more rows. */
export const exporterMemory = ({ cluster }: Pick<Settings, "cluster">, least: number): string =>
  `${least + 4 * Math.max(0, cluster.databases.length - 8)}Mi`;
