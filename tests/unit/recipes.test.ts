import assert from "node:assert/strict";
import { parse } from "yaml";
import { rawSettings } from "../../checks/configuration";
import { planPlatform } from "../../plan/platform";
import { read } from "../support/pages";
import { checked, smallest } from "../support/settings";

type Fields = Record<string, unknown>;

/** The YAML blocks of the page, as text. */
const blocks = [...read("docs/recipes.md").matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
const isSettings = (text: string) => text.startsWith("pgplatform:");

/** A settings block over the smallest settings that pass, with the operator left to another stack. */
function planOf(text: string) {
  const base = smallest();
  const raw = rawSettings(parse(text) as Fields) as { cluster?: Fields };
  const cluster = { ...base.cluster, ...raw.cluster };
  const settings = checked({ ...base, ...raw, cluster, operator: { install: false } });
  return { settings, plan: planPlatform(settings, () => []) };
}

interface Container {
  envFrom?: { configMapRef: { name: string } }[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[];
}
interface Workload {
  kind: string;
  metadata: { namespace: string };
  spec: {
    template: {
      metadata: { labels: Record<string, string> };
      spec: { containers: Container[]; volumes: { configMap: { name: string } }[] };
    };
  };
}

describe("the recipes", () => {
  it("are for migrations, Keycloak, n8n and Debezium", () => {
    const titles = [...read("docs/recipes.md").matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    assert.deepEqual(titles, ["Migrations past the pooler", "Keycloak", "n8n", "Debezium"]);
    assert.equal(blocks.filter(isSettings).length, titles.length);
  });

  for (const text of blocks.filter(isSettings))
    it(`have settings that pass: ${/name: (\w+)\n/.exec(text)?.[1]}`, () => {
      const { plan } = planOf(text);
      assert.equal(plan.bindings.length, 1);
      assert.equal(plan.bindings[0]!.secret?.copied, true);
    });

  blocks.forEach((text, index) => {
    if (isSettings(text)) return;
    const workload = parse(text) as Workload;
    it(`have pods that find what their binding has: ${workload.kind} ${workload.metadata.namespace}`, () => {
      const { settings, plan } = planOf(blocks[index - 1]!);
      const [binding] = plan.bindings;
      const [client] = settings.clients;
      const { metadata, spec } = workload.spec.template;
      assert.equal(workload.metadata.namespace, binding!.namespace);
      for (const [key, value] of Object.entries(client!.labels)) assert.equal(metadata.labels[key], value);
      assert.deepEqual(
        spec.volumes.map(({ configMap }) => configMap.name),
        [binding!.name],
      );
      for (const { env = [], envFrom = [] } of spec.containers) {
        assert.deepEqual(
          envFrom.map(({ configMapRef }) => configMapRef.name),
          [binding!.name],
        );
        const known = new Set(Object.keys(binding!.data));
        for (const { name, value = "", valueFrom } of env) {
          for (const [, used = ""] of value.matchAll(/\$\((\w+)\)/g)) assert.ok(known.has(used), used);
          if (valueFrom) {
            assert.equal(valueFrom.secretKeyRef.name, binding!.secret!.name);
            assert.ok(["username", "password"].includes(valueFrom.secretKeyRef.key));
          }
          known.add(name);
        }
      }
    });
  });

  it("name Debezium's host as the binding does", () => {
    const { plan } = planOf(blocks.filter(isSettings).at(-1)!);
    const { POSTGRES_PRIMARY_HOST, POSTGRES_DB } = plan.bindings[0]!.data;
    const page = read("docs/recipes.md");
    assert.match(page, new RegExp(`^database\\.hostname=${POSTGRES_PRIMARY_HOST}$`, "m"));
    assert.match(page, new RegExp(`^database\\.dbname=${POSTGRES_DB}$`, "m"));
  });
});
