import { UserError } from "../shell/userError";
import { merge, type Overlay, type PlannedObject } from "./objects";

/** Overlays by the ids or kinds of the objects that they are laid over. */
export type Overlays = Readonly<Record<string, Overlay>>;

/** The children of a platform whose objects can be changed. */
export type Transformed = "operator" | "cluster" | "poolers" | "backup" | "network" | "monitoring";

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
  /** Ids and kinds of the objects that each part has. */
  private readonly names = new Map<Transformed, Set<string>>();

  constructor(private readonly overlays: Readonly<Partial<Record<Transformed, Overlays | undefined>>>) {}

  /** The objects of one child, or of one of several, with the fields laid over them, by kind first and then by id. */
  over(part: Transformed, planned: readonly PlannedObject[]): readonly PlannedObject[] {
    const overlays = this.overlays[part];
    if (overlays === undefined) return planned;
    const names = this.names.get(part) ?? new Set();
    planned.forEach(({ object, id }) => names.add(object.kind).add(id));
    this.names.set(part, names);
    return planned.map((one) => {
      const object = merge(merge(one.object, overlays[one.object.kind]), overlays[one.id]);
      return object === one.object ? one : { ...one, object };
    });
  }

  /** Throws one sentence for each overlay that has no object, or that would change what an object is found by. */
  finish(): void {
    const problems = Object.entries(this.overlays).flatMap(([part, overlays = {}]) => {
      const names = this.names.get(part as Transformed);
      if (names === undefined)
        return Object.keys(overlays).length === 0
          ? []
          : [
              `pgplatform:transform.${part} has no object to change: these settings plan none. Fix: remove it.`,
            ];
      return Object.entries(overlays).flatMap(([key, overlay]) => {
        const path = `pgplatform:transform.${part}.${key}`;
        return [
          ...(names.has(key)
            ? []
            : [
                `${path} names no object. Allowed: ${[...names].sort().join(", ") || "none, there are no objects"}. Fix: name one of them.`,
              ]),
          ...identity
            .filter((one) => has(overlay, one))
            .map(
              (field) =>
                `${path}.${field} must not be set: others find the object by it. Allowed: other fields. Fix: remove it.`,
            ),
        ];
      });
    });
    if (problems.length > 0) throw new UserError(problems);
  }
}
