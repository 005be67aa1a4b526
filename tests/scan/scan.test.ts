import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { run } from "../../shell/process";
import { stacks, variants } from "../golden/stacks";
import { checkov } from "../../local/lint/checkov";
import { exceptions } from "./exceptions";
import { objectsOf, withEverything } from "./objects";

/** Checkov over all objects of every graph that tests/golden keeps, and of the settings with everything in use: `npm run scan`. */

interface Finding {
  readonly check_id: string;
  readonly check_name: string;
  readonly resource: string;
  readonly file_path: string;
}
interface Report {
  readonly summary: {
    readonly passed: number;
    readonly resource_count: number;
    readonly parsing_errors: number;
  };
  readonly results: { readonly failed_checks: readonly Finding[] };
}

const graphs = [...stacks, ...Object.keys(variants)];

async function scanned(objects: Readonly<Record<string, readonly object[]>>): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "pgp-scan-"));
  try {
    for (const [name, all] of Object.entries(objects)) {
      await mkdir(join(folder, name));
      const text = all.map((one) => stringify(one, { aliasDuplicateObjects: false })).join("---\n");
      await writeFile(join(folder, name, "objects.yaml"), text);
    }
    const { command, args, env } = await checkov();
    const { stdout } = await run(
      command,
      [
        ...args,
        "--directory",
        folder,
        "--framework",
        "kubernetes",
        "--compact",
        "--quiet",
        "--output",
        "json",
        "--skip-download",
      ],
      { allowFailure: true, env: { ...env, LOG_LEVEL: "ERROR" } },
    );
    return JSON.parse(stdout) as Report;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const excepted = ({ check_id, resource }: Finding) =>
  exceptions.filter(({ check, resources }) => check === check_id && resources.test(resource));

describe("Checkov", function () {
  this.timeout(600_000);

  it("finds nothing in any graph but what has a reason, and each reason is needed", async () => {
    const objects: Record<string, readonly object[]> = { everything: await withEverything() };
    for (const graph of graphs) objects[graph] = await objectsOf(graph);
    const { summary, results } = await scanned(objects);
    assert.equal(summary.parsing_errors, 0);
    assert.ok(summary.resource_count > 400 && summary.passed > 4000);
    const found = results.failed_checks;
    assert.deepEqual(
      found
        .filter((one) => excepted(one).length === 0)
        .map(
          ({ check_id, check_name, resource, file_path }) =>
            `${check_id} ${check_name}: ${resource} (${file_path})`,
        ),
      [],
    );
    const used = new Set(found.flatMap(excepted));
    assert.deepEqual(
      exceptions.filter((one) => !used.has(one)).map(({ check }) => check),
      [],
    );
  });

  it("finds what is planted: a writable root, no seccomp, a token, no limits, a wildcard", async () => {
    const pod = {
      containers: [{ name: "x", image: "example.com/x:1", securityContext: { privileged: true } }],
      hostNetwork: true,
    };
    const metadata = { name: "planted", namespace: "planted" };
    const { results } = await scanned({
      planted: [
        { apiVersion: "v1", kind: "Pod", metadata, spec: pod },
        {
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "ClusterRole",
          metadata: { name: "planted" },
          rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
        },
      ],
    });
    const found = new Set(results.failed_checks.map(({ check_id }) => check_id));
    for (const check of [
      "CKV_K8S_16", // privileged
      "CKV_K8S_19", // the host's network
      "CKV_K8S_22", // a writable root
      "CKV_K8S_31", // no seccomp
      "CKV_K8S_38", // a token
      "CKV_K8S_11", // no limit of cores
      "CKV_K8S_13", // none of memory
      "CKV_K8S_49", // wildcards
    ])
      assert.ok(found.has(check), check);
  });
});
