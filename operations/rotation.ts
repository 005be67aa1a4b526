import { type Rotation } from "../plan/postgres/rotation";
import { type Overlay, type StackFile } from "./pulumi";

/** How far a credential version of passwords is after each update that comes before the last one. */
export type Stage = Exclude<Rotation["stage"], "only">;

/** What each of them does, as `make up` says it. */
export const meaningOf: Readonly<Record<Stage, string>> = {
  added: "new logins beside the old ones, tried directly and through the poolers",
  "handed-out": "applications and poolers get the new logins",
};

/** The updates before the last one that bring the passwords of a live cluster to the planned credential version, one after the other. */
export function stagesBefore(live: Rotation | undefined, planned: Rotation): Stage[] {
  if (live === undefined) return [];
  if (live.credentialVersion === planned.credentialVersion)
    return live.stage === "only"
      ? []
      : live.stage === "handed-out"
        ? ["handed-out"]
        : ["added", "handed-out"];
  return ["added", "handed-out"];
}

/** Settings that hold the passwords at a credential version and a stage. */
export const rotationOverlay = (
  config: StackFile["config"],
  { credentialVersion, stage }: Rotation,
): Overlay => ({
  "pgplatform:rotation": {
    ...(config?.["pgplatform:rotation"] as Record<string, unknown> | undefined),
    credentialVersion,
    stage,
  },
});
