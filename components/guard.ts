import type * as pulumi from "@pulumi/pulumi";
import { keptByGuardOnly, thingOf } from "../plan/guarded";

/** Pulumi's own fields, which its types leave out. */
interface Parent {
  readonly __pulumiType: string;
  readonly __parentResource?: pulumi.Resource;
}

function typesAbove(parent: pulumi.Resource | undefined): string[] {
  if (parent === undefined) return [];
  const { __pulumiType, __parentResource } = parent as unknown as Parent;
  return [...typesAbove(__parentResource), __pulumiType];
}

/**
 * Keeps what the guard holds of a platform: Pulumi refuses to delete or to replace it, and leaves it where it is if that is got round. `make up` and `make destroy`
 * lift both in the state, once the settings name it and there is a verified backup.
 */
export const guard: pulumi.ResourceTransformation = ({ type, name, props, opts }) => {
  const chain = [...typesAbove(opts.parent), type].join("$");
  const resource = { urn: `urn:pulumi:stack::project::${chain}::${name}`, inputs: props as object };
  if (thingOf(resource) === undefined) return undefined;
  return {
    props: props,
    opts: { ...opts, protect: true, ...(keptByGuardOnly(resource) && { retainOnDelete: true }) },
  };
};
