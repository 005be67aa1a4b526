import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubernetesObject } from "../../plan/objects";
import type { Graph, Registered } from "../support/graph";
import { digestOf } from "../support/manifest";
import { filesOf } from "./files";
import { differences, goldenFolder, write } from "./folder";
import { render } from "./render";
import { stacks, variants } from "./stacks";

describe("golden graphs", () => {
  for (const stack of [...stacks, ...Object.keys(variants)])
    it(`the stack ${stack} is what it was`, async function () {
      this.timeout(120_000);
      const found = differences(goldenFolder(stack), await render(stack));
      if (found.length > 0)
        assert.fail(
          [
            ...found,
            "If this is to change: `npm run golden`, and read the difference before you commit it.",
          ].join("\n\n"),
        );
    });
});

describe("golden files", () => {
  let folder: string;
  const files = new Map([
    ["cluster.yaml", "component: cluster\nresources:\n  a: 1\n  b: 2\n  c: 3\n  d: 4\n  e: 5\n"],
    ["network.yaml", "component: network\n"],
  ]);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pgp-golden-"));
    write(folder, files);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are the rendered ones once they are written", () => {
    assert.deepEqual(differences(folder, files), []);
    assert.deepEqual(write(folder, files), []);
  });

  it("show a changed line with what stands around it, and their file", () => {
    const changed = new Map(files).set(
      "cluster.yaml",
      (files.get("cluster.yaml") ?? "").replace("  c: 3\n", "  c: 4\n  c2: 1\n"),
    );
    const file = join(folder, "cluster.yaml");
    assert.deepEqual(differences(folder, changed), [
      [
        `--- ${file} (expected)`,
        "+++ rendered now",
        "@@ -2,6 +2,7 @@",
        " resources:",
        "   a: 1",
        "   b: 2",
        "-  c: 3",
        "+  c: 4",
        "+  c2: 1",
        "   d: 4",
        "   e: 5",
      ].join("\n"),
    ]);
    assert.deepEqual(write(folder, changed), [`wrote ${file}`]);
    assert.deepEqual(differences(folder, changed), []);
  });

  it("of a component that is gone are named, and deleted when they are written", () => {
    const fewer = new Map([...files].slice(0, 1));
    const file = join(folder, "network.yaml");
    assert.deepEqual(differences(folder, fewer), [`${file}: no component makes this file any more`]);
    assert.deepEqual(write(folder, fewer), [`deleted ${file}`]);
    assert.deepEqual(readdirSync(folder), ["cluster.yaml"]);
  });

  it("of a new component are missed", () => {
    const more = new Map(files).set("pooler-app.yaml", "");
    assert.deepEqual(differences(folder, more), [
      `${join(folder, "pooler-app.yaml")}: a component makes this file, and it isn't there`,
    ]);
  });
});

describe("the text of a golden file", () => {
  const component = (name: string, parent?: string): Registered => ({
    name,
    type: "test:Component",
    ...(parent !== undefined && { parent }),
    custom: false,
    dependsOn: [],
    inputs: {},
  });
  const child = (inputs: object, options: object = {}): Registered => ({
    name: "main-part-it",
    type: "kubernetes:core/v1:ConfigMap",
    parent: "main-part",
    custom: true,
    dependsOn: [],
    inputs: inputs as Record<string, unknown>,
    ...options,
  });
  const graph = (...children: Registered[]): Graph => ({
    resources: [component("main"), component("main-part", "main"), ...children],
    outputs: { host: "there" },
    reads: {},
  });
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "it" }, data: { key: "value" } };
  const part = (of: Graph, manifest: KubernetesObject[] = []): string | undefined =>
    filesOf(of, manifest, manifest).get("part.yaml");

  it("is one a component, and one for the outputs", () => {
    const files = filesOf(graph(), [], []);
    assert.deepEqual([...files.keys()].sort(), ["outputs.yaml", "part.yaml", "platform.yaml"]);
    assert.equal(files.get("outputs.yaml"), "host: there\n");
    assert.equal(files.get("part.yaml"), "component: test:Component main-part\nparent: main\n");
  });

  it("holds every option that the program gave", () => {
    const options = {
      dependsOn: ["main-other"],
      protect: true,
      retainOnDelete: true,
      deletedWith: "main-space",
      ignoreChanges: ["spec"],
      timeouts: { create: "20m" },
      deleteBeforeReplace: true,
      secretOutputs: ["privateKey"],
      aliases: [{ name: "main-former" }],
      provider: "near",
    };
    const text = part(graph(child(map, options))) ?? "";
    for (const key of Object.keys(options)) assert.match(text, new RegExp(`^    ${key}:`, "m"));
  });

  it("says what a resource hangs on, where that is another resource", () => {
    const inner = { ...child({}), name: "main-part-inner", parent: "main-part-it" };
    assert.match(part(graph(child(map), inner)) ?? "", / main-part-inner:\n {4}parent: main-part-it\n/);
  });

  it("has a script's digest", () => {
    const script = "set -u\necho $1\n";
    const text = part(graph(child({ ...map, data: { "run.sh": script, "run.conf": "a\nb\n" } }))) ?? "";
    assert.match(text, new RegExp(`run.sh: ${digestOf(script)}\n`));
    assert.match(text, /run\.conf: \|\n +a\n +b\n/);
  });

  it("has one line for a released object, and all of one that is changed", () => {
    assert.equal(
      part(graph(child(map, { retainOnDelete: true })), [map]),
      [
        "component: test:Component main-part",
        "parent: main",
        "released:",
        "  - retainOnDelete: true",
        "    objects:",
        `      main-part-it: ConfigMap it ${digestOf(map)}`,
        "",
      ].join("\n"),
    );
    const changed = part(graph(child({ ...map, data: { key: "other" } })), [map]) ?? "";
    assert.match(changed, /key: other/);
    assert.doesNotMatch(changed, /released/);
  });

  it("tells an annotation that was added to a released object", () => {
    const annotated = { ...map, metadata: { name: "it", annotations: { "a/b": "c" } } };
    assert.match(part(graph(child(annotated)), [map]) ?? "", /addedAnnotations:\n {6}a\/b: c\n/);
    // One that is lost is a change.
    assert.doesNotMatch(part(graph(child(map)), [annotated]) ?? "", /released/);
  });

  it("can't be made of what belongs to no component, or of two components of one file", () => {
    const lonely = { ...child(map), parent: "nothing" };
    assert.throws(() => filesOf(graph(lonely), [], []), /ConfigMap main-part-it has no component above it/);
    const twin = component("main-outputs", "main");
    assert.throws(
      () => filesOf({ ...graph(), resources: [...graph().resources, twin] }, [], []),
      /two components would stand in outputs\.yaml/,
    );
  });
});
