import { type KubernetesObject, namespaceOf } from "../../plan/objects";
import type { Problem } from "../../settings/problem";
import { namesSecret, secretIn, stands } from "../credentials";
import { NotKnown, Partly } from "../notKnown";
import { rawOf } from "../shape";
import type { ObjectInvariant } from "./invariant";
import { isRecord } from "../../settings/record";

interface Found {
  readonly path: string;
  readonly what: string;
}

/** Where a name beside a value is the value's own: variables and the like. */
function nameIn(record: Record<string, unknown>): string {
  try {
    return typeof record.name === "string" ? record.name : "value";
  } catch {
    return "value";
  }
}

/** Walks a value; a part that can't be read at a preview doesn't hide the others. */
class Search {
  readonly found: Found[] = [];
  readonly unread: NotKnown[] = [];

  walk(value: unknown, path: string, key: string): void {
    if (typeof value === "string" || typeof value === "number") {
      const what = secretIn(key, String(value));
      if (what !== undefined) this.found.push({ path, what });
    } else if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) this.step(value, index, `${path}[${index}]`, key);
      this.arguments(value, path);
    } else if (isRecord(value))
      for (const inner of Object.keys(value)) {
        const at = `${path}${path === "" ? "" : "."}${inner}`;
        this.step(value, inner, at, inner === "value" ? nameIn(value) : inner);
      }
  }

  private step(from: object, key: string | number, path: string, name: string): void {
    let inner: unknown;
    try {
      inner = (from as Record<string | number, unknown>)[key];
    } catch (error) {
      // The name alone proves it: what is made later is a secret too.
      if (namesSecret(name)) this.found.push({ path, what: "a value under a secret's name" });
      else this.unread.push(error instanceof NotKnown ? error : new NotKnown(path, error));
      return;
    }
    this.walk(inner, path, name);
  }

  /** `["--password", "hunter2"]`: the value is the argument behind. */
  private arguments(list: readonly unknown[], path: string): void {
    const text = (index: number): string => {
      try {
        const value = list[index];
        return typeof value === "string" ? value : "";
      } catch {
        return "";
      }
    };
    for (let index = 0; index + 1 < list.length; index++) {
      const name = /^--?([a-z][a-z0-9_-]*)$/i.exec(text(index))?.[1];
      const value = text(index + 1);
      if (
        name !== undefined &&
        namesSecret(name) &&
        value !== "" &&
        !value.startsWith("-") &&
        !stands(name, value)
      )
        this.found.push({ path: `${path}[${index + 1}]`, what: "a command line with a password" });
    }
  }
}

/** A Secret's content is left out, as is what only a controller can open; its metadata is checked. */
const isSecret = ({ kind, apiVersion }: KubernetesObject): boolean =>
  (kind === "Secret" && apiVersion === "v1") || kind === "SealedSecret";

/** Whether a path of an object is ignored: `ConfigMap postgres/tool: data.token`. Where its namespace isn't known yet, kind and name count. */
function ignoredIn(object: KubernetesObject, ignored: readonly string[]): (path: string) => boolean {
  const { kind, metadata } = object;
  let namespace: string | undefined;
  try {
    namespace = namespaceOf(object);
  } catch {
    // It isn't known yet.
  }
  const own = ignored.flatMap((one) => {
    const [, ofKind, place, name, path = ""] = /^(\S+) ([^/\s]+)\/(\S+): (.*)$/.exec(one) ?? [];
    const isOwn =
      ofKind === kind && name === metadata.name && (namespace === undefined || place === namespace);
    return isOwn ? [path] : [];
  });
  return (path) => own.includes(path);
}

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
  whole: false,
  on: "object",
  check(object, { ignored }): Problem[] {
    const raw = rawOf(object);
    const search = new Search();
    search.walk(isSecret(object) ? { metadata: raw.metadata } : raw, "", "");
    const isIgnored = ignoredIn(object, ignored as readonly string[]);
    const problems = search.found
      .filter(({ path }) => !isIgnored(path))
      .map(({ path, what }) => ({
        path,
        value: `(hidden: ${what})`,
        allowed: "no secret outside of Secrets",
        fix: "put it into a Secret and refer to that",
      }));
    if (search.unread.length > 0) throw new Partly(problems, search.unread);
    return problems;
  },
};
