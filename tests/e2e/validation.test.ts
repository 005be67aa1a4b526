import assert from "node:assert/strict";
import { run } from "../../shell/process";
import { environment, stackName, type Environment } from "./kit/environment";

/**
 * Every Kubernetes object that the program has registered, asked of the live API server with strict field validation:
 * schemas, unknown fields, admission webhooks. Nothing is changed.
 * This doesn't prove that a field means what we think.
 */
interface Resource {
  type: string;
  /** Only read: somebody else's object, of which the first update keeps no inputs. */
  external?: boolean;
  inputs?: {
    apiVersion?: string;
    kind?: string;
    metadata?: { name?: string; namespace?: string };
    [field: string]: unknown;
  };
}

describe("strict validation by the API server (server-side dry run, images built here)", () => {
  let env: Environment;
  let objects: NonNullable<Resource["inputs"]>[];

  before(async () => {
    env = await environment();
    const args = ["stack", "export", "--show-secrets", "--stack", stackName, "--non-interactive"];
    const { stdout } = await run("pulumi", args, { env: await env.stack.environment() });
    const state = JSON.parse(stdout) as { deployment: { resources: Resource[] } };
    objects = state.deployment.resources
      .filter(({ type, external }) => type.startsWith("kubernetes:") && external !== true)
      .map(({ inputs = {} }) => readable(inputs) as NonNullable<Resource["inputs"]>);
  });

  const dryRun = (object: object) =>
    env.kubectl.run(
      [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=pgp-e2e-validation",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        "-",
      ],
      { input: JSON.stringify(object), allowFailure: true },
    );

  const clusterKind = () => env.engine.clusterKind.kind;
  const nameOf = (object: NonNullable<Resource["inputs"]>) => `${object.kind} ${object.metadata?.name}`;

  it("accepts every object of the stack", async () => {
    const kinds = new Set(objects.map(({ kind }) => kind));
    for (const kind of [clusterKind(), "Deployment", "NetworkPolicy", "Secret", "PodDisruptionBudget"]) {
      assert.ok(kinds.has(kind), `the stack has a ${kind}`);
    }
    const refused: string[] = [];
    for (const object of objects) {
      const { exitCode, stderr } = await dryRun(object);
      if (exitCode !== 0) refused.push(`${nameOf(object)}: ${stderr.trim()}`);
    }
    assert.deepEqual(refused, []);
  });

  it("control: refuses one object of each kind when it has a field that doesn't exist", async () => {
    const byKind = new Map(objects.map((object) => [`${object.apiVersion} ${object.kind}`, object]));
    const accepted: string[] = [];
    for (const object of byKind.values()) {
      const { exitCode, stderr } = await dryRun({ ...object, noSuchField: true });
      if (exitCode === 0) accepted.push(nameOf(object));
      else assert.match(stderr, /noSuchField/, nameOf(object));
    }
    assert.deepEqual(accepted, []);
  });

  it("control: refuses a cluster object with a misspelt field of its spec", async () => {
    const cluster = objects.find(({ kind }) => kind === clusterKind());
    const { exitCode, stderr } = await dryRun({
      ...cluster,
      spec: { ...(cluster?.spec as object), instancez: 3 },
    });
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /instancez/);
  });
});

/** An object as the provider sent it: secrets opened, Pulumi's own notes left out. Nothing of it is ever printed. */
function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  if ("plaintext" in value) return readable(JSON.parse(String(value.plaintext)));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "__defaults" && key !== "__initialApiVersion" && key !== "__fieldManager")
      .map(([key, inner]) => [key, readable(inner)]),
  );
}
