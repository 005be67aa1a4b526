import { UserError } from "../shell/userError";
import { merge, type Overlay, type PlannedObject } from "./objects";

/** Overlays by the ids or kinds of the objects that they are laid over. */
export type Overlays = Readonly<Record<string, Overlay>>;

/** The children of a platform whose objects can be changed. */
export type Transformed = "operator" | "cluster" | "poolers" | "backup" | "network";

/** An object's identity is what others find it by. */
const identity = ["metadata.name", "metadata.namespace", "apiVersion", "kind"] as const;

/** Whether an overlay has a field, given as `field` or `field.field`. */
const has = (overlay: Overlay, path: string): boolean => {
  const [first = "", second] = path.split(".");
  if (second === undefined) return first in overlay;
  const inner = overlay[first];
  return typeof inner === "object" && inner !== null && second in inner;
};

/** Lays a user's fields over the objects of a platform's children, and keeps what is wrong with them until the end. */
export class Transform {
  private readonly problems = new Set<string>();
  private readonly unused: Set<Transformed>;

  constructor(private readonly overlays: Readonly<Partial<Record<Transformed, Overlays | undefined>>>) {
    this.unused = new Set(Object.keys(overlays) as Transformed[]);
  }

  /** The objects of one child with the fields laid over them, by kind first and then by id. */
  over(part: Transformed, planned: readonly PlannedObject[]): readonly PlannedObject[] {
    this.unused.delete(part);
    const overlays = this.overlays[part];
    if (overlays === undefined) return planned;
    const names = [...new Set(planned.map(({ object }) => object.kind)), ...planned.map(({ id }) => id)];
    for (const [key, overlay] of Object.entries(overlays)) {
      const path = `pgplatform:transform.${part}.${key}`;
      if (!names.includes(key))
        this.problems.add(
          `${path} names no object. Allowed: ${names.join(", ") || "none, there are no objects"}. Fix: name one of them.`,
        );
      for (const field of identity.filter((one) => has(overlay, one)))
        this.problems.add(
          `${path}.${field} must not be set: others find the object by it. Allowed: other fields. Fix: remove it.`,
        );
    }
    return planned.map((one) => {
      const object = merge(merge(one.object, overlays[one.object.kind]), overlays[one.id]);
      return object === one.object ? one : { ...one, object };
    });
  }

  /** Throws one sentence for each overlay that has no object, or that would change what an object is found by. */
  finish(): void {
    for (const part of this.unused)
      if (Object.keys(this.overlays[part] ?? {}).length > 0)
        this.problems.add(
          `pgplatform:transform.${part} has no object to change: these settings plan none. Fix: remove it.`,
        );
    if (this.problems.size > 0) throw new UserError([...this.problems]);
  }
}
