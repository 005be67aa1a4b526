import { defaultSize } from "../backup/storeNames";
import type { EngineTraits } from "../engines/planner";
import { longestPause, shortestPause } from "../../settings/cron";
import { bytesOf } from "../../settings/quantity";
import type { Settings } from "../../settings/schema";
import type { Cost, Reliability } from "./model";
import { type Price, storePrices, volumePrices } from "./prices";

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const DAY = 86_400;

const rounded = (value: number): number => Math.round(value * 100) / 100;

const priced = (bytes: number, price: Price | undefined): number | null =>
  price === undefined ? null : rounded((bytes / price.per) * price.usd);

const said = ({ provider, usd, per, asOf, where }: Price): string =>
  `${provider}: ${usd} USD a ${per === GiB ? "GiB" : "GB"} and month (${where}, ${asOf})`;

interface Volume {
  readonly what: string;
  readonly count: number;
  readonly size: string | undefined;
}

const ofVolume = ({ what, count, size = "0" }: Volume, storageClass: string | undefined): Cost => {
  const bytes = count * (bytesOf(size) ?? 0);
  const price = storageClass === undefined ? undefined : volumePrices[storageClass];
  return {
    what: `${what}: ${count === 1 ? size : `${count} × ${size}`}`,
    gibibytes: rounded(bytes / GiB),
    monthly: priced(bytes, price),
    note:
      price === undefined
        ? `unknown: no price of the storage class ${storageClass ?? "that is the default"}`
        : said(price),
  };
};

/** Volumes that last. What a verification restores into is gone when that ends. */
function volumes({ cluster, backup }: Settings, { can }: Pick<EngineTraits, "can">): Cost[] {
  const { size, walSize, archiveSize, class: storageClass } = cluster.storage;
  const { instances: count } = cluster;
  const local = (backup?.targets ?? []).flatMap((target): Volume[] =>
    target.kind === "local"
      ? [{ what: `store ${target.name}`, count: 1, size: target.size ?? defaultSize }]
      : [],
  );
  const all: Volume[] = [
    { what: "data", count, size },
    ...(walSize === undefined ? [] : [{ what: "WAL", count, size: walSize }]),
    // An engine that has such a volume always makes it.
    ...(can.archiveVolume === true ? [{ what: "WAL archive", count: 1, size: archiveSize ?? size }] : []),
    ...local,
  ];
  return all.map((volume) => ofVolume(volume, storageClass));
}

/** Most base backups that are there at once: those of the window, the one that it begins with, and the one that is being made. */
export function mostBaseBackups({
  schedule,
  recoveryWindowDays,
}: Pick<NonNullable<Settings["backup"]>, "schedule" | "recoveryWindowDays">): number {
  const window = recoveryWindowDays * DAY + longestPause(schedule);
  return Math.ceil(window / shortestPause(schedule)) + 1;
}

/** What a bucket holds at most: volumes that are full, nothing that compresses, WAL at the rate of busy hours all day. */
function backups({ cluster, backup }: Settings): Cost[] {
  if (backup === undefined) return [];
  const kept = mostBaseBackups(backup);
  const { size, writeMiBPerSecond } = cluster.storage;
  const wal = (writeMiBPerSecond ?? 0) * MiB * DAY * (backup.recoveryWindowDays + 1);
  const bytes = kept * (bytesOf(size) ?? 0) + wal;
  const sum = `at most ${kept} base backups of ${size}, ${
    writeMiBPerSecond === undefined
      ? "without WAL, whose rate isn't known (cluster.storage.writeMiBPerSecond)"
      : `and ${Math.round(wal / GiB)}Gi of WAL`
  }`;
  return backup.targets
    .filter(({ kind }) => kind !== "local")
    .map(({ name, kind }) => {
      const price = storePrices[kind];
      return {
        what: `store ${name}: ${sum}`,
        gibibytes: rounded(bytes / GiB),
        monthly: priced(bytes, price),
        note: price === undefined ? `unknown: no price of a store of the kind ${kind}` : said(price),
      };
    });
}

export function costsOf(settings: Settings, engine: Pick<EngineTraits, "can">): Reliability["costs"] {
  const parts = { volumes: volumes(settings, engine), backups: backups(settings) };
  const all = [...parts.volumes, ...parts.backups].map(({ monthly }) => monthly);
  return {
    currency: "USD",
    ...parts,
    total: all.some((one) => one === null)
      ? null
      : rounded(all.reduce<number>((sum, one) => sum + (one ?? 0), 0)),
    note: "List prices without discounts. Servers, requests and traffic aren't in it. Base backups count as large as their volumes, uncompressed.",
  };
}
