import type { Settings } from "../../../settings/schema";
import type { Target, TargetKind } from "../../../settings/schema/targets";
import { aws } from "./aws";
import { b2 } from "./b2";
import type { Dialect, Spoken } from "./dialect";
import { local } from "./local";
import { r2 } from "./r2";
import { s3 } from "./s3";

const dialects: { readonly [K in TargetKind]: Dialect<K> } = { r2, b2, aws, s3, local };

/** How a target's bucket is spoken to. */
export const spokenTo = <K extends TargetKind>(
  target: Extract<Target, { kind: K }>,
  cluster: Settings["cluster"],
): Spoken => (dialects[target.kind] as Dialect<K>).speak(target, cluster);

/** Kinds for whose buckets the platform makes no key. */
export const keyGiven = (Object.keys(dialects) as TargetKind[]).filter(
  (kind) => dialects[kind].key === "given",
);
