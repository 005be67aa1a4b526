import type { Settings } from "../../settings/schema";
import type { KubernetesObject } from "../objects";
/**
 * Passwords are rotated by giving a role two logins that take turns: the new one can be tried and handed out while the old
 * one is still in use. Odd generations log in as the role itself, even ones as its second login, which acts as the role.
 */

export type Rotation = Pick<Settings["rotation"], "generation" | "stage">;

/** What is there before anything was rotated. */
export const firstRotation: Rotation = { generation: 1, stage: "only" };

const suffix = "_b";
export const secondLogin = (role: string): string => `${role}${suffix}`;

/** Name that a role logs in by in one generation. */
export const loginOf = (role: string, generation: number): string =>
  generation % 2 === 1 ? role : secondLogin(role);

/** The generation that applications are to use. */
export const handedOut = ({ generation, stage }: Rotation): number =>
  stage === "added" ? generation - 1 : generation;

/** Id of a password among those that a platform generates. */
export const passwordId = (credential: string, generation = 1): string =>
  generation === 1 ? credential : `${credential}.${generation}`;

/** Secret that the engine alone reads, with the login of one generation; no other name of the platform's has a dot. */
export const generationSecret = (secretName: string, generation: number): string =>
  `${secretName}.${generation}`;

const annotation = "pgplatform.io/rotation";

/** Annotation of a cluster object that says how far its passwords are; none before the first rotation. */
export const rotationAnnotation = ({ generation, stage }: Rotation): Record<string, string> =>
  generation === 1 ? {} : { [annotation]: `${generation} ${stage}` };

/** How far the passwords of a live cluster object are. */
export function rotationOf({ metadata }: KubernetesObject): Rotation {
  const [, generation, stage] =
    /^(\d+) (added|handed-out|only)$/.exec(metadata.annotations?.[annotation] ?? "") ?? [];
  return generation === undefined
    ? firstRotation
    : { generation: Number(generation), stage: stage as Rotation["stage"] };
}
