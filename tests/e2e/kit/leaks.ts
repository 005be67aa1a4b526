import { gunzipSync } from "node:zlib";
import { TextSearch } from "./textSearch";

/**
 * What is secret, how it may be spelled where it leaked, and how that is said without saying it. It shares no code with what the product masks by: one mistake
 * would hide the other.
 */

/** Shorter values, and shorter parts of spellings, are no needles: they stand in harmless words. */
export const SHORTEST = 8;

/** A secret value and every place where it may be: `<namespace>/<Secret> <key>`. */
export interface Known {
  readonly at: readonly string[];
  readonly value: Buffer;
}

/** A key of a Secret that isn't searched for. */
export interface LeftOut {
  readonly at: string;
  readonly why: string;
}

/** A Secret as the API server returns it. */
export interface LiveSecret {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** Keys that say who and where. An access key's ID is a name, too: AWS prints it in its own logs. */
const open =
  /^(?:user(?:name)?|admin-user|host(?:name)?|port|dbname|database|uri-host|role|type|provider|region|endpoint|bucket|sslmode|namespace|accessKeyId)$/;

/** Nothing but certificates, public keys and revocation lists. */
const publicPem =
  /^(?:\s*-----BEGIN ((?:TRUSTED |X509 )?(?:CERTIFICATE|PUBLIC KEY|CRL))-----[^-]*-----END \1-----)+\s*$/;

/** Why a value isn't searched for; undefined where it is. */
export function harmless(key: string, value: Buffer): string | undefined {
  if (open.test(key)) return "its key says who or where";
  if (publicPem.test(value.toString())) return "certificates";
  const { length } = value.toString().trim();
  return length < SHORTEST ? `${length} characters: too few to be told from other words` : undefined;
}

/** What a compressed configuration or file holds; anything else as it is. */
export const unpacked = (value: Buffer): Buffer =>
  value[0] === 0x1f && value[1] === 0x8b ? gunzipSync(value) : value;

/** What is secret in these Secrets, each value once, and what was left out; `published` are the certificates among that. */
export function secretsOf(secrets: readonly LiveSecret[]): {
  known: Known[];
  leftOut: LeftOut[];
  published: string[];
} {
  const leftOut: LeftOut[] = [];
  const published: string[] = [];
  const found: { at: string; value: Buffer }[] = [];
  for (const { metadata, data = {} } of secrets)
    for (const [key, text] of Object.entries(data)) {
      const at = `${metadata.namespace ?? "default"}/${metadata.name} ${key}`;
      const value = unpacked(Buffer.from(text, "base64"));
      const why = harmless(key, value);
      if (why === undefined) found.push({ at, value });
      else leftOut.push({ at, why });
      if (publicPem.test(value.toString())) published.push(value.toString());
    }
  return { known: merged(found), leftOut, published };
}

/** Each value once, with all of its places. */
export function merged(values: readonly { readonly at: string; readonly value: Buffer }[]): Known[] {
  const byValue = new Map<string, { at: string[]; value: Buffer }>();
  for (const { at, value } of values) {
    const key = value.toString("base64");
    const same = byValue.get(key);
    if (same === undefined) byValue.set(key, { at: [at], value });
    else same.at.push(at);
  }
  return [...byValue.values()];
}

/** Property by which Pulumi marks a secret in a state that it shows, and the property that has it as JSON. */
const mark = "4dabf18193072939515e22adb298388d";
const secretProperty = /(?:password|passphrase|result|private.*key.*|secret-?(?:access-?)?key|token|\.key)$/i;

/** The state as JSON; an error of the parser would show a part of it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("what Pulumi has exported is no JSON");
  }
}

/** What a state with its secrets shown says that Pulumi keeps as secret: a generated password, a private key that is in no Secret. */
export function secretsInState(shown: string): Known[] {
  const found: { at: string; value: Buffer }[] = [];
  const leaves = (value: unknown, at: string, name: string): void => {
    if (typeof value === "string") {
      const bytes = Buffer.from(value);
      if (secretProperty.test(name) && harmless(name, bytes) === undefined)
        found.push({ at: `state ${at} ${name}`, value: bytes });
    } else if (typeof value === "object" && value !== null)
      for (const [key, inner] of Object.entries(value)) leaves(inner, at, Array.isArray(value) ? name : key);
  };
  const walk = (value: unknown, at: string, name: string): void => {
    if (typeof value !== "object" || value === null) return;
    const own = value as Record<string, unknown>;
    if (mark in own && typeof own.plaintext === "string") {
      leaves(parsed(own.plaintext), at, name);
      return;
    }
    const urn = typeof own.urn === "string" ? (own.urn.split("::").at(-1) ?? at) : at;
    for (const [key, inner] of Object.entries(own)) walk(inner, urn, Array.isArray(value) ? name : key);
  };
  walk(parsed(shown), "", "");
  return merged(found);
}

/** Characters of base64 that depend on the value alone, wherever in what is encoded it begins. */
function base64Within(value: Buffer, before: number): string {
  const whole = Buffer.concat([Buffer.alloc(before), value]).toString("base64");
  return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + value.length) * 8) / 6));
}

/** Lines of a private key: a log has one at a time, a file of YAML indents them. */
const keyLines = (text: string): string[] =>
  text.includes("PRIVATE KEY-----")
    ? text.split(/\s+/).filter((line) => /^[A-Za-z0-9+/=]{40,}$/.test(line))
    : [];

/** Every spelling of a value that is looked for, with what it is called. */
export function spellings(value: Buffer): Map<string, string> {
  const found = new Map<string, string>();
  const add = (needle: string, how: string) => {
    if (needle.length >= SHORTEST && !found.has(needle)) found.set(needle, how);
  };
  const text = value.toString();
  if (Buffer.from(text).equals(value)) {
    for (const whole of [text, text.trim()]) {
      const quoted: readonly (readonly [string, string])[] = [
        [whole, "as it stands"],
        [whole.replaceAll('"', '""'), "quoted as in CSV"],
        [whole.replaceAll("'", "''"), "quoted as in SQL"],
        [whole.replaceAll("'", `'\\''`), "quoted as in a shell"],
      ];
      for (const [form, how] of quoted) add(form, how);
      // JSON in JSON, as annotations have it; Prometheus and YAML escape the same characters.
      for (const [form] of quoted) {
        let escaped = form;
        for (let depth = 1; depth <= 3; depth++) {
          escaped = JSON.stringify(escaped).slice(1, -1);
          add(escaped, "escaped as in JSON");
        }
      }
      const encoded = encodeURIComponent(whole);
      add(encoded, "encoded as in a URL");
      add(encoded.replaceAll("%20", "+"), "encoded as in a form");
      add(
        encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
        "encoded as in a URL",
      );
    }
    for (const line of keyLines(text)) add(line, "a line of it");
  }
  const bare = text.trim() === text ? [value] : [value, Buffer.from(text.trim())];
  for (const bytes of bare) {
    for (const before of [0, 1, 2]) {
      const encoded = base64Within(bytes, before);
      add(encoded, "in base64");
      add(encoded.replaceAll("+", "-").replaceAll("/", "_"), "in base64 for URLs");
    }
    add(bytes.toString("hex"), "in hexadecimal");
    add(bytes.toString("hex").toUpperCase(), "in hexadecimal");
  }
  return found;
}

/** What is secret by its form, whether a Secret has it or not. */
const forms: readonly (readonly [pattern: RegExp, what: string])[] = [
  [
    /SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]{16,}\$[A-Za-z0-9+/=]{16,}:[A-Za-z0-9+/=]{16,}/,
    "a verifier of a password",
  ],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\+n|\s)*[A-Za-z0-9+/=]{40,}/, "a private key that no Secret has"],
];

/** A secret that was found; it says which and where, never what. */
export interface Hit {
  /** All keys of Secrets that have the value. */
  readonly at: readonly string[];
  readonly as: string;
  readonly place: string;
}

export const sentence = ({ at, as, place }: Hit): string => `${at.join(", ")}: ${as}, in ${place}`;

/** Stands for a secret where a place is named by it. */
const HIDDEN = "«secret»";

/** Looks for all known secrets at once. */
export class Search {
  private readonly search: TextSearch<{ at: readonly string[]; as: string }>;

  /** `published`: texts that anyone may read, such as certificates: a line of a key that stands in one of them is the public part. */
  constructor(known: readonly Known[], published: readonly string[] = []) {
    const needles = new Map<string, { at: string[]; as: string }>();
    for (const { at, value } of known)
      for (const [needle, as] of spellings(value)) {
        if (as === "a line of it" && published.some((text) => text.includes(needle))) continue;
        const same = needles.get(needle);
        if (same === undefined) needles.set(needle, { at: [...at], as });
        else same.at.push(...at.filter((one) => !same.at.includes(one)));
      }
    this.search = new TextSearch(needles);
  }

  /** How many spellings it looks for. */
  get size(): number {
    return this.search.size;
  }

  /** Every secret that a text has, once for each spelling. */
  hits(place: string, text: string): Hit[] {
    const known = this.search.found(text);
    // What is known is said by its name.
    const rest = known.length === 0 ? text : this.search.replaced(text, HIDDEN);
    const unknown = forms
      .filter(([pattern]) => pattern.test(rest))
      .map(([, what]) => ({ at: [what], as: "as it stands" }));
    return [...known, ...unknown].map((hit) => ({ ...hit, place: this.search.replaced(place, HIDDEN) }));
  }

  /** The same in all texts of an object, each with the path of its field. */
  inObject(place: string, object: unknown): Hit[] {
    const inside = (value: unknown, path: string): Hit[] => {
      if (typeof value === "string") return this.hits(path, value);
      if (typeof value !== "object" || value === null) return [];
      return Object.entries(value).flatMap(([key, inner]) => [
        ...this.hits(`${path} (a name of a field)`, key),
        ...inside(inner, `${path}.${key}`),
      ]);
    };
    return inside(object, `${place} `);
  }
}
