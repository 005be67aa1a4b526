import assert from "node:assert/strict";
import { dockerConfig } from "../../components/pullSecret";
import { mirrored } from "../../checks/images";
import { shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { checked, smallest } from "../support/settings";
import type { Graph, Registered } from "../support/graph";
import { sentences, specOf, rich } from "../support/rich";

describe("labels, mirrors and private registries", () => {
  let graph: Graph;
  before(async function () {
    this.timeout(120_000);
    graph = await platformGraph(checked(rich()), await shortObjects());
  });

  type Labelled = { labels?: Record<string, string> };
  const labelsOf = ({ inputs }: Registered) => (inputs.metadata as Labelled | undefined)?.labels;
  const kubernetes = () =>
    graph.resources.filter(
      ({ type, parent, name }) =>
        type.startsWith("kubernetes:") && name !== "main-cluster-ca" && parent !== "main-operator",
    );

  it("puts the labels on every object but the operator's, on pods and volumes too", () => {
    assert.ok(kubernetes().length > 25, `${kubernetes().length} objects`);
    for (const resource of kubernetes())
      assert.equal(labelsOf(resource)?.["example.com/cost-centre"], "42", resource.name);
    assert.deepEqual(specOf(rich()).inheritedMetadata, { labels: rich().labels });
    const deployment = kubernetes().find(({ name }) => name === "main-pooler-p-deployment")!;
    const { template, selector } = deployment.inputs.spec as {
      template: { metadata: Labelled };
      selector: { matchLabels: object };
    };
    assert.equal(template.metadata.labels?.team, "shop");
    assert.ok(!("team" in selector.matchLabels), "a selector can't change");
    const operator = graph.resources.filter(({ parent }) => parent === "main-operator");
    assert.ok(operator.every((resource) => labelsOf(resource)?.team === undefined));
  });

  for (const labels of [
    { "pgplatform.io/cluster": "x" },
    { "sub.cnpg.io/x": "y" },
    { "app.kubernetes.io/name": "x" },
    { "-team": "x" },
    { team: "white space" },
  ])
    it(`refuses ${JSON.stringify(labels)}`, () => {
      const problems = sentences({ ...smallest(), labels });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(
        problems[0]!,
        /^pgplatform:labels(: "[-.\w/]+" is not allowed\. Allowed: keys .*\. Fix: use a key such as team or example\.com\/team|\.team: "white space" is not allowed\. Allowed: a text of at most 63 .*)\.$/,
      );
    });

  it("takes a label of Kubernetes' own that says what the object is part of", () =>
    assert.deepEqual(sentences({ ...smallest(), labels: { "app.kubernetes.io/part-of": "shop" } }), []));

  it("takes the platform's images from the mirror, and those of the user from where he says", () => {
    assert.match(
      checked(rich()).images.operator,
      /^registry\.example\.com\/mirror\/cloudnative-pg\/cloudnative-pg:[\d.]+$/,
    );
    assert.deepEqual(
      ["docker.io/a/b:1", "localhost:5000/b:1", "a/b:1", "b:1"].map((name) => mirrored(name, "m.example")),
      ["m.example/a/b:1", "m.example/b:1", "m.example/a/b:1", "m.example/b:1"],
    );
    const own = { ...rich(), images: { registry: "m.example", pgbouncer: "other.example/p:1" } };
    assert.equal(checked(own).images.pgbouncer, "other.example/p:1");
  });

  it("logs in at registries for instances, poolers and the operator", () => {
    const name = [{ name: "main-registries" }];
    assert.deepEqual(specOf(rich()).imagePullSecrets, name);
    const templates = graph.resources
      .filter(({ type }) => type === "kubernetes:apps/v1:Deployment")
      .map(
        ({ inputs }) => (inputs.spec as { template: { spec: { imagePullSecrets: object } } }).template.spec,
      );
    assert.equal(templates.length, 3);
    for (const { imagePullSecrets } of templates) assert.deepEqual(imagePullSecrets, name);

    const secrets = graph.resources.filter(({ inputs }) => inputs.type === "kubernetes.io/dockerconfigjson");
    assert.deepEqual(
      secrets.map(({ inputs }) => (inputs.metadata as { namespace: string }).namespace).sort(),
      ["cnpg-system", "postgres"],
    );
    const text = dockerConfig(checked(rich()).registries);
    for (const { inputs } of secrets)
      assert.deepEqual(inputs.data, {
        secret: { ".dockerconfigjson": Buffer.from(text).toString("base64") },
      });
    assert.deepEqual(JSON.parse(text), {
      auths: {
        "registry.example.com": {
          username: "puller",
          password: "hunter2",
          auth: Buffer.from("puller:hunter2").toString("base64"),
        },
      },
    });
  });

  it("has the registry's password nowhere else, and in no sentence", () => {
    const elsewhere = graph.resources.filter(({ inputs }) => JSON.stringify(inputs).includes("hunter2"));
    assert.deepEqual(elsewhere, []);
    const [registry] = rich().registries;
    const wrong = [
      { ...registry, password: ["hunter2"] },
      { ...registry, server: "https://registry.example.com" },
      { ...registry, pasword: "hunter2" },
    ];
    const problems = [
      ...wrong.flatMap((one) => sentences({ ...smallest(), registries: [one] })),
      ...sentences({ ...smallest(), registries: "hunter2" }),
      ...sentences({ ...smallest(), registries: [registry, registry] }),
    ];
    assert.equal(problems.length, 6);
    for (const text of problems) assert.doesNotMatch(text, /hunter2/);
  });
});
