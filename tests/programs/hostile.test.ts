import assert from "node:assert/strict";
import { parse, parseAllDocuments } from "yaml";
import { check } from "../../checks";
import { planPlatform } from "../../plan/platform";
import type { Settings, SettingsInput } from "../../settings/schema";
import { hostileTexts } from "../support/hostile";
import { bucket, changed, checked, inCloud } from "../support/settings";

/**
 * A text of a stack file that means something to a shell, to SQL, to YAML or to an INI file: it is refused with a sentence, or what is rendered has the same
 * form as with a plain text. Values of Secrets and of variables are data; programs and arguments hold no text of the settings at all.
 */

const engines = ["cnpg", "zalando", "standalone"] as const;

const input = (engine: (typeof engines)[number]): SettingsInput => ({
  ...inCloud(engine),
  cluster: {
    ...inCloud(engine).cluster,
    parameters: {
      log_line_prefix: "plain",
      application_name: "plain",
    },
    roles: [{ name: "clerk" }],
  },
  labels: { shop: "plain" },
  poolers: [{ name: "app", database: "app" }],
  clients: [{ name: "c", namespace: "shop", labels: { app: "plain" }, pooler: "app" }],
  registries: [{ server: "registry.example.com", username: "plain", password: "plain-password" }],
  backup: { targets: [bucket()], verify: { queries: [{ name: "rows", sql: "SELECT 1 AS plain" }] } },
  monitoring: {
    prometheus: "operator",
    namespace: "monitoring",
    queries: [{ name: "sales", sql: "SELECT 1 AS rows", values: [{ name: "rows", help: "plain" }] }],
  },
});

/** Each with what surrounds the text there, so that it has the form that is asked for. */
const places: readonly [path: string, around: (text: string) => string][] = [
  ["cluster.parameters.log_line_prefix", (text) => text],
  ["cluster.parameters.application_name", (text) => text],
  ["cluster.name", (text) => text],
  ["cluster.namespace", (text) => text],
  ["cluster.databases.0.name", (text) => text],
  ["cluster.databases.0.owner", (text) => text],
  ["cluster.roles.0.name", (text) => text],
  ["labels.shop", (text) => text],
  ["clients.0.labels.app", (text) => text],
  ["poolers.0.name", (text) => text],
  ["registries.0.username", (text) => text],
  ["registries.0.password", (text) => text],
  ["backup.targets.0.bucket", (text) => text],
  ["backup.targets.0.credentials.accessKeyId", (text) => text],
  ["backup.targets.0.credentials.secretAccessKey", (text) => `${text}--------`],
  ["backup.verify.queries.0.sql", (text) => `SELECT 1 AS plain /* ${text} */`],
  ["monitoring.queries.0.sql", (text) => `SELECT 1 AS rows /* ${text} */`],
  ["monitoring.queries.0.values.0.help", (text) => text],
];

/** What is left of SQL without its literals, its quoted names and its comments. */
const skeleton = (sql: string): string =>
  sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\/\*[^]*?\*\/|\$(\w*)\$[^]*?\$\1\$/g, "…");

/** A value without its texts: what it is made of. */
function form(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(form);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, form(inner)]));
  return typeof value;
}

/** The form of a file by its name; undefined for data, which may be anything. */
function formOf(name: string, text: string): unknown {
  if (/\.ini$/.test(name)) return text.split("\n").map((line) => line.split("=")[0]);
  if (name === "postgresql.conf")
    return text
      .trimEnd()
      .split("\n")
      .map((line) => /^(\w[\w.]*) = '(?:[^'\\]|''|\\.)*'$/.exec(line)?.[1] ?? line);
  if (/hba\.conf$|ident\.conf$|\.(sh|py|txt)$/.test(name)) return text;
  if (/\.sql$/.test(name)) return skeleton(text);
  if (/\.ya?ml$|queries/.test(name)) return parseAllDocuments(text).map((one) => form(one.toJS()));
  if (/\.json$/.test(name)) return form(parse(text));
  return undefined;
}

/** Every text of the rendered objects with its place in them. */
function texts(value: unknown, path: readonly string[] = []): [path: readonly string[], text: string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => texts(inner, [...path, key]));
}

const rendered = (settings: Settings) => {
  const platform = planPlatform(settings, () => []);
  return new Map(texts(platform).map(([path, text]) => [path.join("\u0001"), text]));
};

for (const engine of engines)
  describe(`hostile texts among the settings of ${engine}`, () => {
    let plain: ReadonlyMap<string, string>;
    before(() => {
      plain = rendered(checked(input(engine)));
    });

    for (const [path, around] of places)
      it(`are data, or refused, in ${path}`, () => {
        let accepted = 0;
        for (const hostile of hostileTexts) {
          const result = check(changed(input(engine), path, around(hostile)));
          if ("problems" in result) continue;
          accepted++;
          for (const [at, text] of rendered(result.settings)) {
            const usual = plain.get(at);
            if (usual === text || usual === undefined || !text.includes(hostile.split("\n")[0] ?? ""))
              continue;
            const keys = at.split("\u0001");
            const last = keys.at(-1) ?? "";
            const where = `${path} = ${JSON.stringify(hostile)} in ${keys.join(".")}`;
            assert.ok(
              !/^\d+$/.test(last) || !["command", "args"].includes(keys.at(-2) ?? ""),
              `${where}: a program`,
            );
            const expected = formOf(last, usual);
            if (expected !== undefined) assert.deepEqual(formOf(last, text), expected, where);
            // The kubelet puts a variable's value in its place.
            if (last === "value" && keys.includes("env"))
              assert.doesNotMatch(text, /(?<!\$)\$\(\w+\)/, where);
          }
        }
        if (/password|secretAccessKey|username|help/.test(path)) assert.ok(accepted > 0, "nothing was tried");
        if (/\.name(space)?$|owner$|labels|bucket/.test(path)) assert.equal(accepted, 0);
      });
  });

describe("the measure of hostile texts", () => {
  it("sees a text that left its place", () => {
    assert.notDeepEqual(
      formOf("postgresql.conf", "a = 'x'\n"),
      formOf("postgresql.conf", "a = 'x\nlisten = *'\n"),
    );
    assert.notDeepEqual(
      formOf("000.app.sql", "SELECT 'x'"),
      formOf("000.app.sql", "SELECT 'x'; DROP ROLE a; --'"),
    );
    assert.notDeepEqual(formOf("pgbouncer.ini", "a = x"), formOf("pgbouncer.ini", "a = x\nb = y"));
    assert.notDeepEqual(formOf("queries", "a: x"), formOf("queries", "a: x\nb: y"));
    assert.notDeepEqual(formOf("run.sh", "echo x"), formOf("run.sh", "echo $(x)"));
  });
});
