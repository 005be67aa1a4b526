import assert from "node:assert/strict";
import { parse } from "yaml";
import { isReady } from "../../operations/kubectl";
import { recipe } from "../support/recipes";
import { clientImage } from "./kit/clients";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces } from "./kit/fixture";
import { ChangedStack, type Edit } from "./kit/settings";
import { until } from "./kit/wait";

/**
 * The recipes of docs/connect.md, as they stand there, with the tests' client image in the place of their images: an application that
 * finds everything in its own namespace. The recipes of docs/drivers.md are run by tests/clients.
 */

const recipeOf = (name: string) => recipe("docs/connect.md", name);

interface Deployment {
  metadata: { name: string; namespace: string };
  spec: {
    template: {
      metadata: { labels: Record<string, string> };
      spec: Record<"initContainers" | "containers", { image: string; command?: string[] }[]>;
    };
  };
}

describe("binding (recipes of docs/connect.md, images built here)", () => {
  let env: Environment;
  let stack: ChangedStack;
  let deployment: Deployment;
  let namespace: string;

  const withBinding: Edit = (settings) => {
    const [pooler] = settings.poolers ?? [];
    if (pooler === undefined) throw new Error("the stack has no pooler");
    const { labels } = deployment.spec.template.metadata;
    const binding = { copySecret: true, makeNamespace: true };
    (settings.clients ??= []).push({ name: "shop", namespace, labels, pooler: pooler.name, binding });
  };

  before(async () => {
    env = await environment();
    stack = await ChangedStack.open();
    // The recipe names the cluster main.
    const text = recipeOf("deployment").replaceAll("main-", `${env.settings.cluster.name}-`);
    deployment = parse(text) as Deployment;
    namespace = deployment.metadata.namespace;
    const { initContainers, containers } = deployment.spec.template.spec;
    for (const container of [...initContainers, ...containers]) container.image = clientImage;
    for (const container of containers) container.command = ["sleep", "infinity"];
  });

  after(async () => {
    await stack.write([]);
    await stack.make("up");
    await stack.close();
    await deleteNamespaces(env, [namespace]);
  });

  const inside = (command: readonly string[]) =>
    env.kubectl.run(["-n", namespace, "exec", `deployment/${deployment.metadata.name}`, "--", ...command], {
      allowFailure: true,
      timeoutMs: 60_000,
    });

  /** Whether the Deployment's pod is ready; what keeps it. */
  async function ready(): Promise<{ done: undefined } | { why: string }> {
    const { labels } = deployment.spec.template.metadata;
    const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const [pod] = await env.kubectl.list("pods", namespace, selector.join(","));
    const status = (pod?.status ?? {}) as {
      phase?: string;
      containerStatuses?: { ready: boolean }[];
    };
    return status.containerStatuses?.every((container) => container.ready) === true
      ? { done: undefined }
      : { why: status.phase ?? "no pod" };
  }

  async function scalePooler(replicas: number): Promise<void> {
    const at = ["-n", env.settings.cluster.namespace];
    await env.kubectl.run([...at, "scale", `deployment/${env.pooler.name}`, `--replicas=${replicas}`]);
    // Where only leaving pods are left, Kubernetes sends new sessions to those.
    await until(`${replicas} pooler pods`, 120, async () => {
      const pods = await env.kubectl.list(
        "pods",
        at[1] ?? "",
        `app.kubernetes.io/instance=${env.pooler.name}`,
      );
      const now = pods.filter(isReady).length;
      return pods.length === replicas && now === replicas
        ? { done: undefined }
        : { why: `${pods.length} are there, ${now} are ready` };
    });
  }

  it("is refused before anything is touched while the client's namespace isn't there", async () => {
    await stack.write([
      withBinding,
      ({ clients }) => {
        const client = clients?.at(-1);
        if (client) client.binding = true;
      },
    ]);
    const { exitCode, lines } = await stack.make("up");
    assert.notEqual(exitCode, 0);
    assert.match(
      lines.join("\n"),
      new RegExp(
        `error: pgplatform:clients\\[\\d+\\]\\.namespace: "${namespace}" is not allowed\\. Allowed: a namespace that is there, since the client's binding goes into it\\. Fix: ` +
          `make it \\(kubectl create namespace ${namespace}\\), or set binding to \\{ makeNamespace: true \\}\\.`,
      ),
    );
  });

  it("goes into a namespace that was made meanwhile, too", async () => {
    await env.kubectl.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await stack.write([withBinding]);
    const { exitCode } = await stack.make("up");
    assert.equal(exitCode, 0);
    assert.deepEqual((await stack.planned()).steps, []);
  });

  it("has the recipe's pod wait while the database can't be reached, and start once it can", async () => {
    const replicas = env.settings.poolers[0]?.instances ?? 2;
    await scalePooler(0);
    try {
      await env.kubectl.apply(deployment);
      const early = await until("no pod is ready", 15, ready).then(
        () => "ready",
        (error: unknown) => (error as Error).message,
      );
      assert.match(early, /at the end: Pending/);
    } finally {
      await scalePooler(replicas);
    }
    await until("the recipe's pod is ready", 120, ready);
  });

  it("lets the psycopg recipe connect by DATABASE_URL", async () => {
    const [database] = env.settings.cluster.databases;
    const script = recipeOf("psycopg");
    await until("the recipe prints role and database", 60, async () => {
      const { stdout, stderr } = await inside(["python3", "-c", script]);
      const wanted = `${database?.owner} ${database?.name}`;
      return stdout.trim() === wanted ? { done: undefined } : { why: stdout + stderr };
    });
  });

  it("is verify-full: a server that another CA vouches for is refused", async () => {
    const ask = (certificates: string) =>
      inside(["bash", "-c", `PGSSLROOTCERT=${certificates} psql "$DATABASE_URL" -XAtc 'select 1'`]);
    assert.equal((await ask("$PGSSLROOTCERT")).stdout.trim(), "1");
    const { exitCode, stderr } = await ask("/etc/ssl/certs/ca-certificates.crt");
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /certificate verify failed/);
  });

  it("goes with the client's setting; the namespace and the application stay", async () => {
    await stack.write([]);
    const { exitCode } = await stack.make("up");
    assert.equal(exitCode, 0);
    const name = `${env.settings.cluster.name}-client-shop`;
    assert.equal(await env.kubectl.get("configmap", namespace, name), undefined);
    assert.equal(await env.kubectl.get("secret", namespace, name), undefined);
    assert.notEqual(await env.kubectl.get("deployment", namespace, deployment.metadata.name), undefined);
  });
});
