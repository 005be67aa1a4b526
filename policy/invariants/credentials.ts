import type { KubernetesObject } from "../../plan/objects";
import type { Problem } from "../../settings/problem";
import type { ObjectInvariant } from "./invariant";

/** Words of a key, whatever its style: `aws_secret-accessKey` is aws, secret, access, key. */
const wordsOf = (key: string): string[] =>
  key
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");

const secretWords = [
  "password",
  "passwd",
  "pwd",
  "passphrase",
  "pgpassword",
  "token",
  "apikey",
  "credentials",
];
const secretPairs = ["access key", "api key", "private key", "secret key", "account key", "client secret"];

/** Annotations whose value is the name of a Secret: how CloudNativePG finds the certificates of a plugin. */
const references = ["cnpg.io/pluginClientSecret", "cnpg.io/pluginServerSecret"];

/** Whether a key says that its value is a secret. */
export function namesSecret(key: string): boolean {
  if (references.includes(key)) return false;
  const words = wordsOf(key);
  const end = (count: number) => words.slice(-count).join(" ");
  return secretWords.includes(end(1)) || secretPairs.includes(end(2));
}

/** A value that refers to another: an environment variable, a template, a path. */
const stands = (value: string): boolean =>
  /^(\$|\{\{|<|\/|%)/.test(value) || /^(true|false|none|\d+)$/i.test(value);

/** Secrets known by their form; the value itself never gets into a message. */
const forms: readonly [what: string, form: RegExp][] = [
  ["a URI with a password", /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"']+:(?![$%{<])[^\s:/@"']+@[^\s"']/i],
  ["a command line with a password", /--?(?:password|passwd|token)(?:=|\s+)(?![$%{<-])[^\s"']/i],
  ["a connection string with a password", /\bpassword\s*=\s*(?!["']?[$%{<])["']?[^\s"'&;$%{<]/i],
  ["SQL with a password", /\bpassword\s+'(?!\s*')/i],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a password's verifier", /SCRAM-SHA-256\$\d+:|"\s+"md5[0-9a-f]{32}"/],
  ["an access key of AWS", /\bAKIA[0-9A-Z]{16}\b/],
];

/** A user list of PgBouncer: lines of `"role" "password"`. */
const isUserList = (key: string, value: string): boolean =>
  key.endsWith("userlist.txt") && /^"[^"]+"\s+"[^"]+"/m.test(value);

interface Found {
  readonly path: string;
  readonly what: string;
}

/** Walks a value; a part that can't be read at a preview doesn't hide the others: it is thrown at the end. */
function search(value: unknown, path: string, key: string, found: Found[], unknown: unknown[]): void {
  const step = (read: () => unknown, innerPath: string, innerKey: string) => {
    let inner: unknown;
    try {
      inner = read();
    } catch (error) {
      unknown.push(error);
      return;
    }
    search(inner, innerPath, innerKey, found, unknown);
  };
  if (typeof value === "string") {
    if (value === "") return;
    const form = forms.find(([, expression]) => expression.test(value));
    if (form) found.push({ path, what: form[0] });
    else if (isUserList(key, value)) found.push({ path, what: "a list of passwords" });
    else if (namesSecret(key) && !stands(value)) found.push({ path, what: "a value under a secret's name" });
  } else if (Array.isArray(value)) {
    // By number: to read an element that isn't known yet throws.
    for (let index = 0; index < value.length; index++)
      step(() => (value as unknown[])[index], `${path}[${index}]`, key);
    secretArguments(value, path, found);
  } else if (typeof value === "object" && value !== null) {
    const record = value as Record<string, unknown>;
    for (const inner of Object.keys(record))
      step(
        () => record[inner],
        `${path}${path === "" ? "" : "."}${inner}`,
        // An environment variable and the like: the name is beside the value.
        inner === "value" ? nameIn(record) : inner,
      );
  }
}

function nameIn(record: Record<string, unknown>): string {
  try {
    return typeof record.name === "string" ? record.name : "value";
  } catch {
    return "value";
  }
}

/** `["--password", "hunter2"]`: the value is the argument behind. */
function secretArguments(list: readonly unknown[], path: string, found: Found[]): void {
  const text = (index: number): string => {
    try {
      const value = list[index];
      return typeof value === "string" ? value : "";
    } catch {
      return "";
    }
  };
  for (let index = 0; index < list.length; index++)
    if (/^--?(password|passwd|token)$/i.test(text(index)) && !/^(\$|-|$)/.test(text(index + 1)))
      found.push({ path: `${path}[${index + 1}]`, what: "a command line with a password" });
}

/** A Secret's content is left out; its metadata is checked. */
const isSecret = (object: KubernetesObject): boolean =>
  object.kind === "Secret" && object.apiVersion === "v1";

export const credentialsInvariant: ObjectInvariant = {
  number: "20",
  name: "no-plain-credentials",
  description:
    "Passwords, keys and tokens are in Secrets only: in no ConfigMap, field, argument, variable or annotation.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Put the value into a Secret and refer to it: `secretKeyRef`, `envFrom`, a mounted file, or the resource's own field for a Secret's name. " +
    "Then change the value: it was in the stack's state and in the cluster's API.",
  options: {
    ignored: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Paths that aren't checked, such as `ConfigMap postgres/tool: data.token`.",
    },
  },
  on: "object",
  check(object, { ignored }): Problem[] {
    const found: Found[] = [];
    const unknown: unknown[] = [];
    search(isSecret(object) ? { metadata: object.metadata } : object, "", "", found, unknown);
    const { namespace = "default", name } = object.metadata;
    const problems = found
      .filter(({ path }) => !(ignored as string[]).includes(`${object.kind} ${namespace}/${name}: ${path}`))
      .map(({ path, what }) => ({
        path,
        value: `(hidden: ${what})`,
        allowed: "no secret outside of Secrets",
        fix: "put it into a Secret and refer to that",
      }));
    // Nothing was found, and something couldn't be read: Pulumi turns this into "can't run during preview".
    if (problems.length === 0 && unknown.length > 0) throw unknown[0];
    return problems;
  },
};
