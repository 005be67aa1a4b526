import type { Settings } from "../../settings/schema";
import type { KubernetesObject } from "../objects";
/**
 * Passwords are rotated by giving a role two logins that take turns: the new one can be tried and handed out while the old
 * one is still in use. Odd credential versions log in as the role itself, even ones as its second login, which acts as the role.
 */

export type Rotation = Pick<Settings["rotation"], "credentialVersion" | "stage">;

/** What is there before anything was rotated. */
export const firstRotation: Rotation = { credentialVersion: 1, stage: "only" };

const suffix = "_b";
export const secondLogin = (role: string): string => `${role}${suffix}`;

/** Name that a role logs in by in one credential version. */
export const loginOf = (role: string, credentialVersion: number): string =>
  credentialVersion % 2 === 1 ? role : secondLogin(role);

/** The credential version that applications are to use. */
export const handedOut = ({ credentialVersion, stage }: Rotation): number =>
  stage === "added" ? credentialVersion - 1 : credentialVersion;

/** Id of a password among those that a platform generates. */
export const passwordId = (credential: string, credentialVersion = 1): string =>
  credentialVersion === 1 ? credential : `${credential}.${credentialVersion}`;

/** Secret that the engine alone reads, with the login of one credential version; no other name of the platform's has a dot. */
export const versionSecret = (secretName: string, credentialVersion: number): string =>
  `${secretName}.${credentialVersion}`;

const annotation = "pgplatform.io/rotation";

/** Annotation of a cluster object that says how far its passwords are; none before the first rotation. */
export const rotationAnnotation = ({ credentialVersion, stage }: Rotation): Record<string, string> =>
  credentialVersion === 1 ? {} : { [annotation]: `${credentialVersion} ${stage}` };

/** How far the passwords of a live cluster object are. */
export function rotationOf({ metadata }: KubernetesObject): Rotation {
  const [, credentialVersion, stage] =
    /^(\d+) (added|handed-out|only)$/.exec(metadata.annotations?.[annotation] ?? "") ?? [];
  return credentialVersion === undefined
    ? firstRotation
    : { credentialVersion: Number(credentialVersion), stage: stage as Rotation["stage"] };
}
