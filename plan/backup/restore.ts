import { millisecondsAt, normalizeMoment, utcOf } from "../../settings/moment";
import type { Settings } from "../../settings/schema";
import { reportsOf, type Store, storesOf } from "./store";

/** Where a restore reads: the target's bucket, at the place of the cluster that was backed up; undefined where nothing is restored. */
export function originOf(settings: Settings): Store | undefined {
  const { restore } = settings;
  const store = storesOf(settings).find(({ name }) => name === restore?.target);
  if (store === undefined) return undefined;
  const prefix = restore?.path ?? restore?.from ?? store.prefix;
  return { ...store, prefix, reports: reportsOf(prefix) };
}

/** The folder below that, of the archive to restore from. */
export const originArchive = ({
  archiveId,
  serverName,
}: Pick<NonNullable<Settings["restore"]>, "archiveId" | "serverName">): string =>
  archiveId ?? serverName ?? "";

/** How long making a cluster may take: an empty one a while, one out of a backup as long as there are data. What can't end, `make up` finds out by itself. */
export const creationMinutes = ({ restore }: Settings, empty: number): number =>
  restore === undefined ? empty : 24 * 60;

/** A moment in whole seconds since 1970, for scripts. */
export const secondsAt = (time: string): string => String(Math.floor(millisecondsAt(time) / 1000));

/** One spelling for a moment, however the stack file was read. PostgreSQL knows no names of zones yet, `Z` neither, when it reads it. */
export const normalizedTime = (time: string): string =>
  (normalizeMoment(time) ?? time).replace(/Z$/, "+00:00");

/** Where a restore ends, a moment in one spelling. */
export const endOf = ({
  to,
}: NonNullable<Settings["restore"]>): { time?: string; lsn?: string; name?: string } => ({
  ...(to.time !== undefined && { time: normalizeMoment(to.time) ?? to.time }),
  ...(to.lsn !== undefined && { lsn: to.lsn }),
  ...(to.name !== undefined && { name: to.name }),
});

/** Annotation of a cluster object: what the cluster was made out of, as the setting `restore` says it. */
export const restoredAnnotation = "pgplatform.io/restored-from";

/** The setting `restore` as one text: the same for the same source and the same end. */
export function restoreText({ restore, cluster }: Pick<Settings, "restore" | "cluster">): string | undefined {
  if (restore === undefined) return undefined;
  const { target, archiveId, serverName, path, from = `${cluster.namespace}/${cluster.name}` } = restore;
  const { time, ...place } = endOf(restore);
  return JSON.stringify({
    target,
    archiveId,
    serverName,
    path,
    from,
    to: { ...(time !== undefined && { time: utcOf(time) }), ...place },
  });
}
