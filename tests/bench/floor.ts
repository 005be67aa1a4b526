import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClientPod, prepareNamespace, Writer } from "../e2e/kit/clients";
import { podStatus } from "../e2e/kit/cluster";
import { type Backups } from "../../plan/engines/planner";
import { type Environment } from "../e2e/kit/environment";
import { judge, longestGap, rateBeforeMark, type Verdict } from "../e2e/kit/oracle";
import { makeNamespace } from "./namespaces";

/**
 * The physical floor of a failover: two servers with synchronous replication in one pod, no operator, no lease, no Service,
 * no TLS; the primary killed with SIGKILL, the standby told at once to promote itself, the client given both addresses.
 */
export const namespace = "pgp-bench-floor";
const servers = "servers";

export interface FloorRun {
  at: string;
  /** Seconds without an acknowledgement. */
  gap: number;
  /** Acknowledgements a second before the kill. */
  rate: number;
  verdict: Verdict;
}

const pod = (image: string, { user, group }: Backups["server"]): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: servers, namespace },
  spec: {
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, runAsUser: user, runAsGroup: group, fsGroup: group },
    containers: [
      {
        name: "postgres",
        image,
        imagePullPolicy: "IfNotPresent",
        // As process 1 it collects the servers that a kill leaves behind.
        command: ["bash", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"],
        resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "1Gi" } },
        volumeMounts: [{ name: "data", mountPath: "/data" }],
      },
    ],
    volumes: [{ name: "data", emptyDir: {} }],
  },
});

/** Makes the pod and its client; the result measures one kill each time it is called. */
export async function startFloor(env: Environment): Promise<() => Promise<FloorRun>> {
  const { kubectl } = env;
  const password = randomBytes(16).toString("hex");
  await makeNamespace(env, namespace);
  const owner = env.engine.backups?.server;
  if (owner === undefined)
    throw new Error(`the engine ${env.engine.name} doesn't say which user runs its image's servers`);
  await kubectl.apply(pod(env.settings.images.postgresql, owner));
  await kubectl.run(["-n", namespace, "wait", "--for=condition=Ready", `pod/${servers}`, "--timeout=120s"]);
  const address = podStatus((await kubectl.get("pod", namespace, servers)) ?? failed()).podIP ?? failed();
  await prepareNamespace(
    kubectl,
    namespace,
    { database: "app", user: "app", password, ca: "none: without TLS" },
    { make: false },
  );
  const client = await ClientPod.start(kubectl, namespace, "client", {});
  const script = await readFile(join(__dirname, "floor.sh"), "utf8");
  const tell = async (...words: readonly string[]): Promise<string> => {
    const at = ["-n", namespace, "exec", "-i", servers, "--", "bash", "-s", "--", ...words];
    return (await kubectl.run(at, { input: script, timeoutMs: 120_000 })).stdout;
  };
  const env1 = { PGSSLMODE: "disable", PGPORT: "5432,5433" };
  const hosts = `${address},${address}`;

  return async () => {
    await tell("prepare", password);
    const created = await client.psql(address, "create table acknowledged (id bigint not null)", {
      ...env1,
      PGPORT: "5432",
    });
    if (created.exitCode !== 0) throw new Error(`floor: ${created.stderr}`);
    const run = `floor_${Date.now().toString(36)}`;
    const writer = await Writer.start({
      pod: client,
      arm: "floor",
      run,
      host: hosts,
      table: "acknowledged",
      firstId: 1,
      readWrite: true,
      env: env1,
    });
    await writer.waitForMore(100, 60);
    await writer.mark();
    const at = new Date().toISOString();
    await tell("fail");
    await writer.waitForMore(60, 60);
    const { log } = await writer.stop();
    const rows = (await tell("rows")).split("\n").filter((line) => line !== "");
    return {
      at,
      gap: longestGap(log),
      rate: rateBeforeMark(log),
      verdict: judge([log], rows.map(Number)),
    };
  };
}

function failed(): never {
  throw new Error(`the pod ${namespace}/${servers} has no address`);
}
