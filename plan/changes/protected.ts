import { isDeepStrictEqual } from "node:util";
import type { Settings } from "../../settings/schema";
import { dayOf } from "../../settings/day";
import type { Effect } from "./effect";
import { type Allowance, type Loss, thingOf } from "../guarded";
import { bucketKind } from "./data";
import { remadeBy } from "./fixed";
import type { Registered } from "./review";

/** What a change of the settings deletes or replaces of what is protected, without a state to look at. */

export interface Side {
  readonly protection: Settings["protection"];
  readonly allow: Settings["allow"];
  /** Name of the cluster. */
  readonly cluster: string;
  readonly registered: readonly Registered[];
  /** Whether the platform signs certificates. */
  readonly signs: boolean;
}

/** The component's class by the name that a plan gives it, as far as it makes a difference to what a thing is called. */
const classOf = (component: string): string =>
  component.startsWith("store ") || component === "backup"
    ? "Backup"
    : component.startsWith("binding ")
      ? "Bindings"
      : component.replace(/^./, (first) => first.toUpperCase());

function thingOfPlanned({ component, object }: Registered): string | undefined {
  const { apiVersion, kind } = object;
  if (apiVersion === bucketKind.apiVersion)
    return kind === bucketKind.kind ? `bucket ${(object as { bucket?: string }).bucket}` : undefined;
  const type = `kubernetes:${apiVersion === "v1" ? "core/v1" : apiVersion}:${kind}`;
  return thingOf({
    urn: `urn:pulumi:stack::project::pgplatform:components:${classOf(component)}$${type}::${object.metadata.name}`,
    inputs: object,
  });
}

/** What a side has, by its name. What Pulumi draws or signs has no object: it has a name alone. */
function thingsOf({ cluster, registered, signs }: Side): Map<string, Registered | undefined> {
  const things = new Map<string, Registered | undefined>();
  for (const one of registered) {
    const thing = thingOfPlanned(one);
    if (thing !== undefined && !things.has(thing)) things.set(thing, one);
  }
  if (signs) things.set(`ca ${cluster}-certificates-issued`, undefined);
  if (registered.some(({ component }) => component === "backup"))
    things.set(`archive ${cluster}-backup-archive-id`, undefined);
  return things;
}

function isRemade({ object: before }: Registered, { object: after, leave = [] }: Registered): boolean {
  const { apiVersion, kind } = before;
  return apiVersion === bucketKind.apiVersion
    ? !isDeepStrictEqual(before, after)
    : remadeBy(`kubernetes:${apiVersion}:${kind}`, before, after, leave) !== undefined;
}

/** Nothing where protection is off on both sides. */
export function protectedLosses(before: Side, after: Side): Omit<Loss, "urn">[] {
  if (!before.protection.enabled && !after.protection.enabled) return [];
  const next = thingsOf(after);
  return [...thingsOf(before)].flatMap(([thing, one]): Omit<Loss, "urn">[] => {
    if (!next.has(thing)) return [{ thing, op: "deletes" }];
    const other = next.get(thing);
    return one && other && isRemade(one, other) ? [{ thing, op: "replaces" }] : [];
  });
}

/** The same as notes of a review: refused, or by which entry it is allowed. */
export function protectedNotes(before: Side, after: Side): { effect: Effect; text: string }[] {
  const { allow, protection } = after;
  const entry = (thing: string): Allowance | undefined => allow.find(({ what }) => what === thing);
  const backup = `a verified backup younger than ${protection.verifiedWithinHours} hours`;
  return protectedLosses(before, after).map(({ thing, op }) => {
    const found = entry(thing);
    const what = `${op} ${thing}, which is protected:`;
    return {
      effect: "replacement",
      text:
        found === undefined
          ? `${what} refused, as long as pgplatform:allow doesn't name it and without ${backup}`
          : `${what} pgplatform:allow names it until ${dayOf(found.until)}; \`make up\` needs ${backup}, and asks`,
    };
  });
}
