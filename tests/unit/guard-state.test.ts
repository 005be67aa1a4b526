import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reviewOf } from "../../operations/diff";
import { staysAnyway } from "../../operations/guard";
import { ProtectedPlan, Stack } from "../../operations/pulumi";
import { isProtection } from "../../operations/previewReport";
import { reviewMarkdown } from "../../plan/changes/render";
import type { SettingsInput } from "../../settings/schema";
import { changed, checked, inCloud } from "../support/settings";

const urnOf = (components: string, type: string, name: string): string =>
  `urn:pulumi:main::postgres-platform::${[...components.split(" ").map((one) => `pgplatform:components:${one}`), type].join("$")}::${name}`;
const cluster = urnOf(
  "PostgresPlatform Cluster",
  "kubernetes:postgresql.cnpg.io/v1:Cluster",
  "main-cluster-cluster",
);
const space = urnOf("PostgresPlatform", "kubernetes:core/v1:Namespace", "main-namespace");
const crd = urnOf(
  "PostgresPlatform Operator",
  "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
  "main-operator-crd-clusters",
);
const resource = (urn: string) => ({ urn, type: "t", protect: true, retainOnDelete: true });
const deletion = (urn: string): string =>
  `error: Preview failed: resource "${urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, …`;

/** A stack whose `pulumi` is a script: it prints a report and a state, and keeps what it is told to import. */
describe("a stack with a program in the place of Pulumi's CLI", () => {
  let folder: string;
  let stack: Stack;
  const write = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value));
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pgp-guard-state-"));
    const pulumi = join(folder, "pulumi");
    await writeFile(
      pulumi,
      `#!/bin/sh
case "$1 $2" in
  "stack export")
    [ ! -e '${folder}/away' ] || { cat '${folder}/away' >&2; exit 1; }
    cat '${folder}/state.json' ;;
  "stack import") while [ "$1" != --file ]; do shift; done; cp "$2" '${folder}/imported.json' ;;
  preview*) cat '${folder}/report.json'; exit "$(cat '${folder}/code')" ;;
esac
`,
    );
    await chmod(pulumi, 0o755);
    await mkdir(join(folder, "scratch", "stacks"), { recursive: true });
    stack = new Stack("main", [folder], undefined, join(folder, "scratch"));
    await write("state.json", {
      deployment: { resources: [resource(cluster), resource(space), resource(crd)] },
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("is not taken for one that isn't there when its state can't be read", async () => {
    const away = join(folder, "away");
    await writeFile(away, 'error: read ".pulumi/meta.yaml": connection refused\n');
    for (const ask of [
      () => stack.exists(),
      () => stack.resources(),
      () => stack.lift([cluster], () => false),
    ])
      await assert.rejects(ask(), /state of stack main can't be read .*connection refused/);
    await writeFile(away, "error: no stack named 'main' found\n");
    assert.equal(await stack.exists(), false);
    assert.deepEqual(await stack.resources(), []);
    await rm(away);
    assert.equal((await stack.resources()).length, 3);
  });

  const preview = async (code: number, report: object) => {
    await write("code", code);
    await write("report.json", report);
    return stack.preview({ refresh: false });
  };
  const failed = (message: string) => [{ severity: "error", message }];

  it("tells of all that a refused plan would delete, though the engine ends at the first of it", async () => {
    const report = {
      steps: [
        { op: "same", urn: space },
        { op: "delete", urn: cluster, oldState: {} },
      ],
      diagnostics: [...failed(deletion(cluster)), ...failed("error: preview failed")],
    };
    await assert.rejects(preview(1, report), (error) => {
      assert.ok(error instanceof ProtectedPlan);
      assert.deepEqual(
        error.steps.map(({ op, urn }) => [op, urn]),
        [
          ["delete", cluster],
          ["delete", crd],
        ],
      );
      return true;
    });
  });

  it("is not taken for refused where something else is wrong, too", async () => {
    const other = failed("error: the provider doesn't answer");
    await assert.rejects(
      preview(1, { steps: [], diagnostics: [...failed(deletion(cluster)), ...other] }),
      (error) => !(error instanceof ProtectedPlan) && /doesn't answer/.test(String(error)),
    );
    assert.deepEqual(await preview(0, { steps: [{ op: "same", urn: space }] }), []);
  });

  it("lifts the protection of what it is told, and its retention where the guard alone keeps it", async () => {
    await stack.lift([cluster, crd], staysAnyway);
    const { deployment } = JSON.parse(await readFile(join(folder, "imported.json"), "utf8")) as {
      deployment: { resources: object[] };
    };
    assert.deepEqual(deployment.resources, [
      { ...resource(cluster), protect: false, retainOnDelete: false },
      resource(space),
      { ...resource(crd), protect: false },
    ]);
    await rm(join(folder, "imported.json"));
    await stack.lift(["urn:of:nothing"], staysAnyway);
    await assert.rejects(
      readFile(join(folder, "imported.json")),
      "nothing is imported where nothing changes",
    );
  });
});

describe("the words of a failed preview", () => {
  const replacement = `error: unable to replace resource "${cluster}"\nas it is currently marked for protection. To …`;
  for (const [what, errors, byPolicy, expected] of [
    ["a protected deletion", `${deletion(cluster)}\nerror: preview failed`, false, true],
    ["protected replacements", `${replacement}\n${replacement}\nerror: preview failed`, false, true],
    ["the policy alone", "error: preview failed", true, true],
    ["a failure without a reason", "error: preview failed", false, false],
    ["another failure beside it", `${replacement}\nerror: no such class`, true, false],
  ] as const)
    it(`are about protection: ${what} (${expected ? "yes" : "no"})`, () =>
      assert.equal(isProtection(errors, byPolicy), expected));
});

describe("a pull request", () => {
  const input = (engine: "cnpg" | "zalando" | "standalone"): SettingsInput => ({
    ...inCloud(engine),
    protection: { enabled: true },
  });
  const notes = (before: SettingsInput, after: SettingsInput): string[] =>
    reviewOf(checked(before), checked(after))
      .notes.filter(({ effect }) => effect === "replacement")
      .map(({ text }) => text);
  const refused = (what: string) =>
    `${what}, which is protected: refused, as long as pgplatform:allow doesn't name it and without a verified backup younger than 24 hours`;

  const bucketAt = (region: string) => ({ name: "live", kind: "aws", bucket: "copies", region });

  for (const engine of ["cnpg", "zalando", "standalone"] as const)
    it(`says with the engine ${engine} what is refused, and what allow lets pass`, () => {
      const before = input(engine);
      const after = changed(before, "cluster.namespace", "other");
      const found = notes(before, after);
      for (const what of ["deletes cluster postgres/main", "deletes namespace postgres"])
        assert.ok(found.includes(refused(what)), found.join("\n"));
      const allowed = { ...after, allow: [{ what: "cluster postgres/main", until: "2026-01-31" }] };
      assert.ok(
        notes(before, allowed).includes(
          "deletes cluster postgres/main, which is protected: pgplatform:allow names it until 2026-01-31; `make up` needs a verified backup younger than 24 hours, and asks",
        ),
      );
      assert.deepEqual(notes(before, changed(before, "cluster.parameters", { log_statement: "ddl" })), []);
      const off = { ...after, protection: { enabled: false } };
      assert.ok(notes(before, off).length > 0, "it was on");
      assert.deepEqual(notes({ ...before, protection: {} }, { ...after, protection: {} }), []);
    });

  it("says it in the comment, also of what can't be changed in place", () => {
    const before = input("standalone");
    const after = changed(before, "backup", { memory: "2Gi", targets: [bucketAt("eu-west-1")] });
    const moved = changed(before, "backup", { memory: "2Gi", targets: [bucketAt("eu-central-1")] });
    const comment = reviewMarkdown(reviewOf(checked(after), checked(moved)), "");
    assert.ok(comment.includes(`> ${refused("replaces bucket copies")}`), comment.join("\n"));
    // The volume stays on the class that it has.
    assert.deepEqual(notes(before, changed(before, "cluster.storage.class", "io2")), []);
  });

  it("names the CA and the archive", () => {
    const target = {
      name: "r2",
      kind: "r2" as const,
      bucket: "copies",
      account: "0123456789abcdef0123456789abcdef",
    };
    const before: SettingsInput = { ...input("zalando"), backup: { memory: "2Gi", targets: [target] } };
    const found = notes(before, changed(before, "backup", undefined));
    for (const what of ["deletes archive main-backup-archive-id", "deletes bucket copies"])
      assert.ok(found.includes(refused(what)), found.join("\n"));
    const renamed = notes(before, changed(before, "cluster.name", "other"));
    assert.ok(renamed.includes(refused("deletes ca main-certificates-issued")), renamed.join("\n"));
  });
});
