/** Takes what is secret out of texts that leave the machine. */

export const MASK = "«masked»";

/** Texts by which a secret is known wherever it stands, each with what stays of it. */
const patterns: readonly (readonly [pattern: RegExp, rest: string])[] = [
  // Of PostgreSQL: verifiers, and what an old server stores.
  [/SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+/g, `SCRAM-SHA-256$${MASK}`],
  [/\bmd5[0-9a-f]{32}\b/g, `md5${MASK}`],
  // Keys in PEM, their lines joined or not.
  [/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[^]*?-----END \1-----/g, `-----BEGIN $1----- ${MASK}`],
  // Base64 of the same, as a Secret has it.
  [/LS0tLS1CRUdJTi[A-Za-z0-9+/=]{40,}/g, MASK],
  // The password of a URI.
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"']+):[^\s@"']+@/gi, `$1:${MASK}@`],
  // `password=…`, `PGPASSWORD: …`, `"secretAccessKey":"…"`, `PASSWORD '…'`.
  [
    /((?:[\w-]*(?:password|passwd|secret[_-]?access[_-]?key|secret[_-]?key|access[_-]?key[_-]?id|api[_-]?token|auth[_-]?token|passphrase))"?\s*[=:]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;}\]]+)/gi,
    `$1${MASK}`,
  ],
  [/(\bpassword\s+)('(?:[^']|'')*')/gi, `$1${MASK}`],
  [/(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{12,}/gi, `$1${MASK}`],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, MASK],
  [/\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+/g, MASK],
];

/** Shorter ones would take ordinary words out; they are secret by their places. */
const SHORTEST = 6;

/** Characters of base64 that depend on the value alone, wherever in what is encoded it begins: behind a user and a colon, say. */
const inBase64 = (value: string): string[] =>
  [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const [first, end] = [Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6)];
    const part = bytes.toString("base64").slice(first, end);
    return [part, part.replaceAll("+", "-").replaceAll("/", "_")];
  });

/** Quoted as in CSV and in SQL, and escaped up to three times: JSON stands in JSON, as in annotations; YAML and metrics escape the same characters. */
const inQuotes = (value: string): string[] =>
  [value, value.replaceAll('"', '""'), value.replaceAll("'", "''")].flatMap((quoted) => {
    const spelled = [quoted];
    for (let text = quoted; spelled.length < 4; spelled.push(text)) text = JSON.stringify(text).slice(1, -1);
    return spelled;
  });

/** A value, and it alone encoded: of a short one the other spellings are any word's. */
const wholes = (value: string): string[] => [
  value,
  Buffer.from(value).toString("base64"),
  encodeURIComponent(value),
];

/** How a value may be spelled where it stands in a text. */
const spellings = (value: string): string[] => [
  ...wholes(value),
  ...inBase64(value),
  Buffer.from(value).toString("hex"),
  ...inQuotes(value),
];

/** A text without any of these values, and without what is secret by its form. */
export function masker(values: readonly string[]): (text: string) => string {
  const known = [
    ...new Set(
      values
        .flatMap((value) => [value, value.trim()])
        .flatMap((value) => (value.length < SHORTEST ? wholes(value) : spellings(value)))
        .filter((value) => value.length >= SHORTEST),
    ),
  ].sort((one, other) => other.length - one.length);
  return (text) => {
    const without = known.reduce((rest, value) => rest.replaceAll(value, MASK), text);
    return patterns.reduce((rest, [pattern, kept]) => rest.replace(pattern, kept), without);
  };
}

/** Names of Secrets' keys whose values anyone may know, and that would take half of a text out. */
const open =
  /^(?:username|user|ca\.crt|tls\.crt|host|port|dbname|uri-host|database|role|region|endpoint|bucket)$/i;

/** What is secret in a Secret: its values, apart from those that say where and who. */
export const secretsIn = (data: Readonly<Record<string, string>>): string[] =>
  Object.entries(data).flatMap(([key, value]) =>
    open.test(key) ? [] : [Buffer.from(value, "base64").toString()],
  );

/** Names of variables and keys whose values are secret. */
export const secretName = /password|secret|token|passphrase|(?:^|_)key/i;

/** An object without what a Secret holds, and without values of variables that are called secret. */
export function withoutValues(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutValues);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Record<string, unknown>;
  const named = typeof fields.name === "string" && secretName.test(fields.name);
  return Object.fromEntries(
    Object.entries(fields).map(([key, inner]) => {
      if (named && key === "value") return [key, MASK];
      if (fields.kind === "Secret" && (key === "data" || key === "stringData"))
        return [key, Object.fromEntries(Object.keys(inner ?? {}).map((one) => [one, MASK]))];
      // The whole object as it was applied, values and all.
      if (key === "kubectl.kubernetes.io/last-applied-configuration") return [key, MASK];
      if (key === "managedFields") return [key, "left out"];
      return [key, withoutValues(inner)];
    }),
  );
}
