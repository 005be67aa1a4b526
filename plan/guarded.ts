import { dayOf, daysBetween, isDay } from "../settings/day";
import { namespace, type Problem } from "../settings/problem";

/**
 * What the guard holds: things whose deletion or replacement loses data, the trust of clients, or the way back. It names them as the setting `allow` does. The
 * policy pack, components and operations share it.
 */

/** A resource of a state, of a plan or of a program. */
export interface GuardedResource {
  readonly urn: string;
  readonly inputs?: object | undefined;
}

/** Types of the engines' clusters that have a type of their own. */
const clusterTypes = new Set([
  "kubernetes:postgresql.cnpg.io/v1:Cluster",
  "kubernetes:acid.zalan.do/v1:postgresql",
]);
const bucketTypes = /^(aws:s3\/bucket(V2)?:Bucket(V2)?|cloudflare:index\/r2Bucket:R2Bucket)$/;

const componentPrefix = "pgplatform:components:";

/** Types of the resource's parents, the innermost last, then its own; and its name. */
function partsOf(urn: string): { components: readonly string[]; type: string; name: string } {
  const [, , chain = "", ...name] = urn.split("::");
  const types = chain.split("$");
  return {
    components: types
      .slice(0, -1)
      .filter((type) => type.startsWith(componentPrefix))
      .map((type) => type.slice(componentPrefix.length)),
    type: types.at(-1) ?? "",
    name: name.join("::"),
  };
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/**
 * What a resource is to the guard, as `cluster shop/orders`; undefined for what it doesn't hold. Beside clusters these are parts of the platform alone: what else a
 * program registers is its own matter.
 */
export function thingOf({ urn, inputs }: GuardedResource): string | undefined {
  const { components, type, name } = partsOf(urn);
  const given = (inputs ?? {}) as Record<string, unknown> & {
    metadata?: { name?: unknown; namespace?: unknown };
    spec?: { group?: unknown };
  };
  const inside = (component: string) => components.includes(component);
  const object = text(given.metadata?.name) ?? name;
  const space = text(given.metadata?.namespace);
  const named = space === undefined ? object : `${space}/${object}`;
  if (clusterTypes.has(type)) return `cluster ${named}`;
  if (components.length === 0) return undefined;
  switch (type) {
    case "kubernetes:apps/v1:StatefulSet":
      return `${inside("Cluster") ? "cluster" : inside("Backup") ? "archive" : "volume"} ${named}`;
    case "kubernetes:core/v1:PersistentVolumeClaim":
      return `volume ${named}`;
    case "kubernetes:core/v1:Namespace":
      // A client's namespace is the client's: it stays whatever the stack does.
      return inside("Bindings") ? undefined : `namespace ${object}`;
    case "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition":
      return `crd ${text(given.spec?.group) ?? object.slice(object.indexOf(".") + 1)}`;
    case "pulumi-nodejs:dynamic:Resource":
      return inside("Certificates") ? `ca ${name}` : undefined;
    case "random:index/randomId:RandomId":
      return name.endsWith("-archive-id") ? `archive ${name}` : undefined;
    default:
      return bucketTypes.test(type) ? `bucket ${text(given.bucket) ?? text(given.name) ?? name}` : undefined;
  }
}

/**
 * Whether the guard alone keeps a resource that is let go of. Others stay in any case: buckets and stores of backups, which outlive what they are of, and CRDs.
 */
export function keptByGuardOnly(resource: GuardedResource): boolean {
  const thing = thingOf(resource);
  return (
    thing !== undefined &&
    /^(cluster|volume|namespace) /.test(thing) &&
    !partsOf(resource.urn).components.includes("Backup")
  );
}

/** Something protected that a plan deletes or replaces. */
export interface Loss {
  readonly thing: string;
  readonly op: "deletes" | "replaces";
  readonly urn: string;
}

export interface Allowance {
  readonly what: string;
  readonly until: string;
}

/** An entry is for one change. */
const LONGEST_DAYS = 31;

const pathOf = (index: number, field: string): string => `${namespace}:allow[${index}].${field}`;

/** Which entries of `allow` hold, and what is wrong with the others. `today`: `YYYY-MM-DD`, in UTC. */
export function standing(
  allow: readonly Allowance[],
  today: string,
): { readonly allowed: readonly Allowance[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const allowed: Allowance[] = [];
  allow.forEach((one, index) => {
    const until = dayOf(one.until);
    const wrong = (allowedText: string, fix: string) =>
      problems.push({ path: pathOf(index, "until"), value: until, allowed: allowedText, fix });
    if (!isDay(until)) wrong("a day of the calendar, such as 2026-01-31", "write it so");
    else if (until < today)
      wrong(
        `today (${today}) or later, since this entry has expired`,
        "remove it, or renew it where the change is still to come",
      );
    else if (daysBetween(today, until) > LONGEST_DAYS)
      wrong(`a day within ${LONGEST_DAYS} days, since an entry is for one change`, "choose a nearer one");
    else allowed.push({ what: one.what, until });
  });
  return { allowed, problems };
}

/** Entries of `allow` that name nothing. `known`: what the stack has, or will have. */
export const unknownNames = (allow: readonly Allowance[], known: ReadonlySet<string>): Problem[] =>
  allow.flatMap(({ what }, index) =>
    known.has(what)
      ? []
      : [
          {
            path: pathOf(index, "what"),
            value: what,
            allowed: [...known].sort().join(", ") || "nothing, since the stack has nothing that is protected",
            fix: "remove the entry where its change is done, or name one of these",
          },
        ],
  );

/** What is told of an entry on every run. */
export const told = ({ what, until }: Allowance): string =>
  `${namespace}:allow: ${what} may be deleted or replaced until ${until}; remove the entry when that is done`;
