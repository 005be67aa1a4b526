import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import * as z from "zod";
import { bucketKind } from "../../plan/changes/data";
import type { Registered } from "../../plan/changes/review";
import type { KubernetesObject } from "../../plan/objects";
import { reliability } from "../../plan/reliability/model";
import { judge } from "../../policy/judge";
import { waiversKey } from "../../policy/waivers";
import { today } from "../../settings/day";
import type { Settings } from "../../settings/schema";
import { prepareManifests, sideOf } from "../diff";
import { reportOf } from "../report";
import { settingsAt } from "../trees";

/**
 * Everything that is compared of a stack: what its settings make, promise, and violate. A checkout's own program writes it for the program of another
 * checkout, so that a change of the program is seen, too.
 */
export const planned = z.object({
  version: z.literal(1),
  engine: z.string(),
  tier: z.string(),
  objects: z.array(z.object({ component: z.string(), object: z.custom<KubernetesObject>() })),
  report: reliability,
  violations: z.array(z.object({ policy: z.string(), mandatory: z.boolean(), sentence: z.string() })),
  waived: z.array(z.string()),
  cluster: z.string(),
  protection: z.custom<Settings["protection"]>(),
  allow: z.custom<Settings["allow"]>(),
  signs: z.boolean(),
});
export type Planned = z.output<typeof planned>;

/** Released CRDs are long, and a reviewer reads none of their fields: a digest says whether one differs. */
const short = (one: Registered): Registered => {
  const { apiVersion, kind, metadata } = one.object;
  if (kind !== "CustomResourceDefinition") return one;
  const digest = createHash("sha256").update(JSON.stringify(one.object)).digest("hex").slice(0, 16);
  return { ...one, object: { apiVersion, kind, metadata: { name: metadata.name }, digest } };
};

/** Secrets of logins and buckets are known by their names alone until an update makes them: no policy can judge them before. */
const isJudged = ({ component, object }: Registered): boolean =>
  component !== "credentials" && object.apiVersion !== bucketKind.apiVersion;

export function planOf(settings: Settings, day = today()): Planned {
  const { registered: objects, ...side } = sideOf(settings);
  const config = { "pgplatform:tier": settings.tier, [waiversKey]: JSON.stringify(settings.waivers) };
  const { violations, waived } = judge(
    objects.filter(isJudged).map(({ object }) => object),
    config,
    day,
  );
  return {
    version: 1,
    engine: settings.cluster.engine,
    tier: settings.tier,
    objects: objects.map(short),
    report: reportOf(settings),
    violations: [...violations],
    waived: [...waived],
    ...side,
  };
}

/** Writes a stack's plan into a file that only this user can read: it has what the stack file has, keys in plain text included. */
export async function writePlan(stackName: string, file: string): Promise<string> {
  const settings = await settingsAt(stackName);
  await prepareManifests(settings);
  await writeFile(file, JSON.stringify(planOf(settings)), { mode: 0o600 });
  return `The plan of stack ${stackName} is in ${file}.`;
}
