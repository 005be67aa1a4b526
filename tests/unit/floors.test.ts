import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const rules = createRequire(__filename)("../../.dependency-cruiser.cjs") as { forbidden: object[] };

/** Names of the rules that files with these texts break. */
async function broken(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "pgp-floors-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const { cruise } = await import("dependency-cruiser");
    const { output } = await cruise(Object.keys(files), {
      baseDir: folder,
      validate: true,
      ruleSet: { forbidden: rules.forbidden },
      tsPreCompilationDeps: true,
    } as Parameters<typeof cruise>[1]);
    if (typeof output === "string") throw new Error(output);
    return [...new Set(output.summary.violations.map(({ rule }) => rule.name))].sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("floors", () => {
  const a = "export const a = 1;\n";
  const ups: [string, string][] = [
    ["shell", "settings"],
    ["settings", "plan"],
    ["plan", "releases"],
    ["releases", "policy"],
    ["policy", "checks"],
    ["checks", "components"],
    ["checks", "local"],
    ["components", "local"],
    ["local", "components"],
    ["components", "stacks"],
    ["local", "operations"],
    ["operations", "stacks"],
    ["stacks", "operations"],
  ];
  for (const [from, to] of ups)
    it(`refuses an import of ${to}/ in ${from}/`, async () => {
      const files = {
        [`${from}/b.ts`]: `import { a } from "../${to}/a";\nexport const b = a;\n`,
        [`${to}/a.ts`]: a,
      };
      assert.deepEqual(await broken(files), [`${from}-imports-down`]);
    });

  it("refuses a type that is imported upwards", async () => {
    const files = {
      "plan/b.ts": 'import type { A } from "../checks/a";\nexport type B = A;\n',
      "checks/a.ts": "export type A = string;\n",
    };
    assert.deepEqual(await broken(files), ["plan-imports-down"]);
  });

  it("takes an import of each floor below", async () => {
    const files = {
      "stacks/b.ts":
        'import { a } from "../shell/a";\nimport { c } from "../checks/c";\nexport const b = [a, c];\n',
      "shell/a.ts": a,
      "checks/c.ts": 'import { a } from "../plan/a";\nexport const c = a;\n',
      "plan/a.ts": a,
    };
    assert.deepEqual(await broken(files), []);
  });

  const reader = "export const reader = 1;\n";
  const readersOf = (more: string) => ({
    "policy/a.ts": 'export { reader as a } from "../plan/engines/readers";\n',
    "plan/engines/readers.ts": 'export { reader } from "./cnpg/reader";\n',
    "plan/engines/cnpg/reader.ts": `${more}${reader}`,
    "plan/engines/cnpg/planner.ts": a,
    "plan/objects.ts": "export type O = string;\n",
  });

  it("takes the engines' readers in policy/", async () => {
    const type = 'import type { O } from "../../objects";\nexport type P = O;\n';
    assert.deepEqual(await broken(readersOf(type)), []);
  });

  it("refuses a planner that policy/ reaches through a reader", async () => {
    const planner = 'export { a } from "./planner";\n';
    assert.deepEqual(await broken(readersOf(planner)), ["policy-reads"]);
  });

  it("refuses files that import each other", async () => {
    const files = {
      "plan/a.ts": 'import { b } from "./b";\nexport const a = (): number => b();\n',
      "plan/b.ts": 'import { a } from "./a";\nexport const b = (): number => a();\n',
    };
    assert.deepEqual(await broken(files), ["no-circle"]);
  });

  for (const [folder, module, rule] of [
    ["settings", "@pulumi/pulumi", "pure-of-pulumi"],
    ["plan", "@pulumi/kubernetes/core/v1", "pure-of-pulumi"],
    ["checks", "@pulumi/aws/s3", "pure-of-pulumi"],
    ["plan", "node:child_process", "pure-of-processes"],
    ["checks", "node:https", "pure-of-processes"],
    ["settings", "node:fs", "pure-of-files"],
    ["plan", "node:fs/promises", "pure-of-files"],
  ] as const)
    it(`refuses ${module} in ${folder}/`, async () => {
      const found = await broken({
        [`${folder}/a.ts`]: `import * as it from "${module}";\nexport const a = it;\n`,
      });
      assert.ok(found.includes(rule), found.join());
    });
});
