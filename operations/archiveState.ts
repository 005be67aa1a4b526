import { type StateResource } from "./pulumi";

/** What a stack's state says of its archive. */

const archiveIdOf = (resources: readonly StateResource[]): StateResource | undefined =>
  resources.find(({ type, urn }) => type === "random:index/randomId:RandomId" && urn.endsWith("-archive-id"));

/** The ID of the archive that a stack's cluster writes; undefined when it archives nothing. */
export const archiveIdIn = (resources: readonly StateResource[]): string | undefined =>
  archiveIdOf(resources)?.outputs?.hex as string | undefined;

/** URN of what draws that ID. */
export const archiveIdUrn = (resources: readonly StateResource[]): string | undefined =>
  archiveIdOf(resources)?.urn;
