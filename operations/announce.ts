import { isDeepStrictEqual } from "node:util";
import type { Change, LiveReader, Shape } from "../plan/engines/live";
import type { PoolerSettings } from "../settings/schema";
import { differing, isUpgrade, type FirstStep } from "./steps";
import { needsRestart } from "../settings/catalogue/index";

const restartOf = ({ instances }: Shape, inPlace: boolean): string =>
  instances > 1
    ? `the instances restart one after another, the primary last, ${inPlace ? "in its place" : "by a switchover"}`
    : "the server restarts";

/** Whether a pooler's clients wait through planned changes of the primary. */
export const isHeld = ({ mode, reads }: Pick<PoolerSettings, "mode" | "reads">): boolean =>
  mode === "transaction" && reads === "primary";

/** Whether nothing differs that is part of the instances' pods: a restart of PostgreSQL is enough. */
export const sameInPods = (live: Shape, planned: Shape): boolean =>
  live.image === planned.image &&
  isDeepStrictEqual(live.pods, planned.pods) &&
  isDeepStrictEqual(live.log, planned.log);

interface Announced {
  readonly live: Pick<LiveReader, "restarts" | "rolling">;
  /** @default - without poolers */
  readonly settings?: { readonly poolers: readonly Pick<PoolerSettings, "mode" | "reads">[] };
}

/** What a change of the live cluster means for those who use it, a line each. `first`: the first of two updates, where there are two. */
export function announcements(
  { live: reader, settings }: Announced,
  live: Shape | undefined,
  planned: Shape,
  first: FirstStep | undefined,
): string[] {
  if (live === undefined) return [];
  const lines: string[] = [];
  const changed = differing(live.parameters, planned.parameters);
  const major = String(live.major ?? planned.major ?? "");
  const restarting = changed.filter((name) => needsRestart(major, name));
  const held = reader.rolling?.fits(live, planned) === true && (settings?.poolers ?? []).some(isHeld);
  const inPlace = held && sameInPods(live, planned);
  const restarts = (of: Change["of"]): string =>
    (reader.restarts?.({ live, planned, of, parameters: restarting }) ?? restartOf(planned, inPlace)) +
    (held ? "; clients of poolers wait meanwhile" : "");
  const reloaded = changed.filter((name) => !restarting.includes(name));
  if (restarting.length > 0) lines.push(`parameters ${restarting.join(", ")}: ${restarts("parameters")}`);
  if (reloaded.length > 0) lines.push(`parameters ${reloaded.join(", ")}: reloaded, nothing restarts`);
  if (isUpgrade(live, planned))
    lines.push(
      `PostgreSQL ${planned.major} instead of ${live.major}, image ${planned.image}: all instances stop, pg_upgrade works on the primary's data${
        planned.instances > 1 ? ", and the standbys are copied again" : ""
      }`,
    );
  else if (live.image !== planned.image)
    lines.push(`image ${planned.image} instead of ${live.image}: ${restarts("image")}`);
  const inPods = Object.keys(planned.pods).filter(
    (field) => !isDeepStrictEqual(live.pods[field], planned.pods[field]),
  );
  if (inPods.length > 0) lines.push(`${inPods.join(", ")}: ${restarts("pods")}`);
  if (first !== undefined) lines.push(`two updates: ${first.why}`);
  if (live.instances !== planned.instances)
    lines.push(
      `${planned.instances} instances instead of ${live.instances}: ${
        live.instances < planned.instances
          ? "copies of the data are made, nothing restarts"
          : `standbys go${planned.keepsVolumes === true ? ", their volumes stay" : " with their volumes"}, nothing restarts`
      }`,
    );
  if (live.data.size !== planned.data.size)
    lines.push(
      `data volumes of ${planned.data.size} instead of ${live.data.size}: they grow in use where the class can`,
    );
  if (live.log?.size !== planned.log?.size && planned.log !== undefined)
    lines.push(
      live.log === undefined
        ? `a WAL volume of ${planned.log.size}: ${restarts("walVolume")}`
        : `WAL volumes of ${planned.log.size} instead of ${live.log.size}: they grow in use where the class can`,
    );
  return lines;
}
