import { isDeepStrictEqual } from "node:util";
import { needsRestart } from "../../settings/catalogue/index";
import type { PoolerSettings } from "../../settings/schema";
import type { Change, LiveReader, Shape } from "../engines/live";
import type { Effect } from "./effect";

/** What a change of the database cluster does to those who use it: the one judgement, for announcements of an update and for reviews of a plan. */

/** A part of a change. */
export interface ClusterChange {
  readonly of: "parameters" | "reloaded" | "upgrade" | "image" | "pods" | "instances" | "data" | "walVolume";
  readonly effect: Effect;
  readonly text: string;
}

export interface Judge {
  readonly live: Pick<LiveReader, "restarts" | "rolling">;
  /** @default - without poolers */
  readonly settings?: { readonly poolers: readonly Pick<PoolerSettings, "mode" | "reads">[] };
}

/** Whether data of an older major version become those of a newer one. */
export const isUpgrade = (live: Shape | undefined, planned: Shape): boolean =>
  live?.major !== undefined && planned.major !== undefined && live.major < planned.major;

/** Names of the parameters that differ. */
export const differing = (one: Shape["parameters"], other: Shape["parameters"]): string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((name) => one[name] !== other[name])
    .sort();

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

/** The parts of a change, in the order in which they are told. */
export function clusterChanges(
  { live: reader, settings }: Judge,
  live: Shape,
  planned: Shape,
): ClusterChange[] {
  const found: ClusterChange[] = [];
  const add = (of: ClusterChange["of"], effect: Effect, text: string) => found.push({ of, effect, text });
  const changed = differing(live.parameters, planned.parameters);
  const major = String(live.major ?? planned.major ?? "");
  const restarting = changed.filter((name) => needsRestart(major, name));
  const held = reader.rolling?.fits(live, planned) === true && (settings?.poolers ?? []).some(isHeld);
  const inPlace = held && sameInPods(live, planned);
  const restarts = (of: Change["of"]): string =>
    (reader.restarts?.({ live, planned, of, parameters: restarting }) ?? restartOf(planned, inPlace)) +
    (held ? "; clients of poolers wait meanwhile" : "");
  const reloaded = changed.filter((name) => !restarting.includes(name));
  if (restarting.length > 0)
    add("parameters", "restart", `parameters ${restarting.join(", ")}: ${restarts("parameters")}`);
  if (reloaded.length > 0)
    add("reloaded", "reload", `parameters ${reloaded.join(", ")}: reloaded, nothing restarts`);
  if (isUpgrade(live, planned))
    add(
      "upgrade",
      "stop",
      `PostgreSQL ${planned.major} instead of ${live.major}, image ${planned.image}: all instances stop, pg_upgrade works on the primary's data${
        planned.instances > 1 ? ", and the standbys are copied again" : ""
      }`,
    );
  else if (live.image !== planned.image)
    add("image", "restart", `image ${planned.image} instead of ${live.image}: ${restarts("image")}`);
  const inPods = Object.keys(planned.pods).filter(
    (field) => !isDeepStrictEqual(live.pods[field], planned.pods[field]),
  );
  if (inPods.length > 0) add("pods", "restart", `${inPods.join(", ")}: ${restarts("pods")}`);
  if (live.instances !== planned.instances)
    add(
      "instances",
      "nothing",
      `${planned.instances} instances instead of ${live.instances}: ${
        live.instances < planned.instances
          ? "copies of the data are made, nothing restarts"
          : `standbys go${planned.keepsVolumes === true ? ", their volumes stay" : " with their volumes"}, nothing restarts`
      }`,
    );
  if (live.data.size !== planned.data.size)
    add(
      "data",
      "nothing",
      `data volumes of ${planned.data.size} instead of ${live.data.size}: they grow in use where the class can`,
    );
  if (live.log?.size !== planned.log?.size && planned.log !== undefined)
    add(
      "walVolume",
      live.log === undefined ? "restart" : "nothing",
      live.log === undefined
        ? `a WAL volume of ${planned.log.size}: ${restarts("walVolume")}`
        : `WAL volumes of ${planned.log.size} instead of ${live.log.size}: they grow in use where the class can`,
    );
  return found;
}
