import type { Settings } from "../../settings/schema";
import { type Store, storesOf } from "./store";

/** Where a restore reads: the target's bucket, at the place of the cluster that was backed up; undefined where nothing is restored. */
export function originOf(settings: Settings): Store | undefined {
  const { restore } = settings;
  const store = storesOf(settings).find(({ name }) => name === restore?.target);
  return store && { ...store, prefix: restore?.path ?? restore?.from ?? store.prefix };
}

/** The folder below that, of the archive to restore from. */
export const originArchive = ({ archiveId, serverName }: NonNullable<Settings["restore"]>): string =>
  archiveId ?? serverName ?? "";

/** A moment in whole seconds since 1970, for scripts. */
export const secondsAt = (time: string): string => String(Math.floor(Date.parse(time) / 1000));

/** One spelling for a moment, however the stack file was read: no zeros behind the fraction, and an offset. */
export const normalizedTime = (time: string): string =>
  time
    .replace(/(\.\d*?)0*(?=(Z|[+-]\d\d:\d\d)$)/, (_, digits: string) => (digits === "." ? "" : digits))
    .replace(/Z$/, "+00:00");
