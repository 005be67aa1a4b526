import { isDeepStrictEqual } from "node:util";
import type { Change, LiveReader, Shape } from "../plan/engines/live";
import { differing, isUpgrade, type FirstStep } from "./steps";
import { needsRestart } from "../settings/catalogue/index";

const restartOf = ({ instances }: Shape): string =>
  instances > 1
    ? "the instances restart one after another, the primary last, by a switchover"
    : "the server restarts";

/** What a change of the live cluster means for those who use it, a line each. `first`: the first of two updates, where there are two. */
export function announcements(
  reader: Pick<LiveReader, "restarts">,
  live: Shape | undefined,
  planned: Shape,
  first: FirstStep | undefined,
): string[] {
  if (live === undefined) return [];
  const lines: string[] = [];
  const changed = differing(live.parameters, planned.parameters);
  const major = String(live.major ?? planned.major ?? "");
  const restarting = changed.filter((name) => needsRestart(major, name));
  const restarts = (of: Change["of"]): string =>
    reader.restarts?.({ live, planned, of, parameters: restarting }) ?? restartOf(planned);
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
