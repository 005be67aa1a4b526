import { isDeepStrictEqual } from "node:util";
import { type Shape } from "../components/engine";
import { type Overlay, type StackFile } from "./pulumi";

/**
 * Settings to lay over the stack's for a first update, when it must be made in two: an operator that changes the leader
 * gracefully refuses another image and other parameters at once, since it could not tell which of them a server has. The
 * first update keeps the image (and major version) that runs. Undefined when one update will do.
 */
export function firstStep(
  config: StackFile["config"],
  live: Shape | undefined,
  planned: Shape,
): Overlay | undefined {
  if (live === undefined || live.image === planned.image) return undefined;
  if (isDeepStrictEqual({ ...live.parameters }, { ...planned.parameters })) return undefined;
  const part = (key: string) => config?.[`pgplatform:${key}`] as Record<string, unknown> | undefined;
  return {
    "pgplatform:images": { ...part("images"), postgresql: live.image },
    ...(live.major !== planned.major &&
      live.major !== undefined && {
        "pgplatform:cluster": { ...part("cluster"), postgresVersion: String(live.major) },
      }),
  };
}
