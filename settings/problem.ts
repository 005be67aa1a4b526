/** One wrong setting: where, what it is, what is allowed, and how to fix it. */
export interface Problem {
  readonly path: string;
  readonly value: unknown;
  /** What is wrong, where it isn't the value: a key that doesn't exist. */
  readonly wrong?: string;
  /** What is allowed, or `must not be set …` and after a colon the reason. */
  readonly allowed: string;
  readonly fix: string;
}

export const namespace = "pgplatform";

// The one parameter with the word in its name holds no secret, nor does the name of a key.
const secretKey = /password(?!_encryption|Key\b)|secretAccessKey|bearerToken|webhookUrl|routingKey/i;
/** A private key that was given for something else. */
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY/;
/** Below registries only server and username are shown: a misspelt key may hold the password. */
const secretPath = new RegExp(
  `password(?!_encryption|Key\\b)|secretAccessKey|bearerToken|webhookUrl|routingKey|^${namespace}:registries(?!.*\\.(server|username)$)`,
  "i",
);

/** The value as JSON, with everything below a key named password hidden: a message must never print a secret. */
function shown(path: string, value: unknown): string {
  if (value === undefined) return "not set";
  if (secretPath.test(path)) return "(hidden)";
  const hiding = (key: string, inner: unknown) =>
    secretKey.test(key) || (typeof inner === "string" && privateKey.test(inner)) ? "(hidden)" : inner;
  const text = JSON.stringify(value, hiding) ?? "not plain data";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** The beginning of `allowed` where the setting must be left out: that, and not its value, is what is wrong. */
const mustNotBeSet = /^must not be set[^:]*/;

/** The problem as a message: `path: what is wrong. Allowed: …. Fix: ….` */
export function sentence({ path, value, wrong, allowed, fix }: Problem): string {
  const text = shown(path, value);
  const inBrackets = text.startsWith("(") ? text : `(${text})`;
  if (mustNotBeSet.test(allowed))
    return `${path}: ${allowed.replace(mustNotBeSet, (head) => `${head} ${inBrackets}`)}. Fix: ${fix}.`;
  const what = wrong
    ? value === undefined
      ? wrong
      : `${wrong} ${inBrackets}`
    : value === undefined
      ? text
      : `${text} is not allowed`;
  return `${path}: ${what}. Allowed: ${allowed}. Fix: ${fix}.`;
}
