/** One wrong setting: where, what it is, what is allowed, and how to mend it. */
export interface Problem {
  readonly path: string;
  readonly value: unknown;
  readonly allowed: string;
  readonly fix: string;
}

export const namespace = "pgplatform";

// The one parameter with the word in its name holds no secret.
const secretKey = /password(?!_encryption)|secretAccessKey/i;
/** A private key that was given for something else. */
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY/;
/** Below registries only what is known to be none is shown: a misspelt key may hold the password. */
const secretPath = new RegExp(
  `password(?!_encryption)|secretAccessKey|^${namespace}:registries(?!.*\\.(server|username)$)`,
  "i",
);

/** The value as JSON, with what stands below a key named password hidden: a sentence must never print a secret. */
function shown(path: string, value: unknown): string {
  if (value === undefined) return "not set";
  if (secretPath.test(path)) return "(hidden)";
  const hiding = (key: string, inner: unknown) =>
    secretKey.test(key) || (typeof inner === "string" && privateKey.test(inner)) ? "(hidden)" : inner;
  const text = JSON.stringify(value, hiding) ?? "not plain data";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** The problem as one sentence. */
export const sentence = ({ path, value, allowed, fix }: Problem): string =>
  `${path} is ${shown(path, value)}, allowed is ${allowed}: ${fix}.`;
