import { poolerName, poolerPorts, secretNames, serviceHost } from "../components/names";
import { cnpgManifestFile } from "../local/manifests";
import { provideTools } from "../local/toolchain/tools";
import { chooseCluster, inspectMachine } from "./choice";
import { confirm } from "./confirm";
import { settingsOfTree, subjectOf } from "./context";
import { type Subject, waitUntilDone, writeAndRead } from "./health";
import { type Progress, type StepContext } from "./progress";
import { type PlannedStep, Stack } from "./pulumi";
import { findCluster, provideCluster } from "./target";
import { UserError } from "../stacks/userError";

/** Tools and the operator's manifest: what a preview needs beside Node.js. */
export async function prepareTools(progress: Progress, signal?: AbortSignal): Promise<string[]> {
  return progress.step("tools", async (context) => {
    const folders = await provideTools(context, signal);
    context.detail("the operator's manifest");
    await cnpgManifestFile();
    return folders;
  });
}

/** The main job: tools, cluster, `pulumi up`, health, how to connect. Returns the closing line. */
export async function up(stackName: string, progress: Progress, signal: AbortSignal): Promise<string> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  // Before anything is built or touched: a wrong stack file is refused within the first second.
  const settings = await settingsOfTree(stackName, findCluster(choice).overlay);
  progress.line(
    `cluster: ${{ context: "the one of CONTEXT", k3d: "k3d", "built-in": "built-in" }[choice.kind]}`,
  );

  const toolFolders = await prepareTools(progress, signal);
  const stack = new Stack(stackName, toolFolders, signal);
  const target = await progress.step("Kubernetes", (context) =>
    provideCluster(choice, toolFolders, context, signal),
  );

  await progress.step("pulumi up", async (context) => {
    await stack.prepare(target.overlay);
    await stack.recover(context);
    await stack.refresh(context);
    const plan = await stack.preview({ refresh: false, context });
    await allowDestructive(plan, context);
    context.say(plan.length === 0 ? "no changes" : changesIn(await stack.up(context)));
  });

  const subject = await subjectOf(stack, target, toolFolders, signal);
  await progress.step("health: instances", (context) => waitUntilDone(subject, context, signal));
  await progress.step("health: a client", (context) => writeAndRead(subject, context));

  connection(subject).forEach((line) => progress.line(line));
  const { name, instances, namespace } = settings.cluster;
  const way = settings.poolers.length > 0 ? "through the pooler" : "directly";
  const read = instances > 1 ? " and read on a standby" : "";
  return `PostgreSQL ${name} is up: ${instances} instances in namespace ${namespace}; a row was written ${way}${read}.`;
}

/** Kinds whose deletion or replacement loses data. */
const HOLDS_DATA =
  /kubernetes:(postgresql\.cnpg\.io\/v1:Cluster|core\/v1:(Namespace|PersistentVolumeClaim)|apps\/v1:StatefulSet)$/;

/** The steps of a plan that lose data. */
export function destructive(steps: readonly PlannedStep[]): PlannedStep[] {
  const loses = new Set(["delete", "replace", "delete-replaced", "create-replacement"]);
  return steps.filter(
    ({ op, urn }) => loses.has(op) && HOLDS_DATA.test(urn.split("::")[2]?.split("$").at(-1) ?? ""),
  );
}

async function allowDestructive(steps: readonly PlannedStep[], context: StepContext): Promise<void> {
  const losing = destructive(steps);
  if (losing.length === 0) return;
  losing.forEach(({ op, urn }) => context.say(`the plan has: ${op} ${urn.split("::").slice(2).join(" ")}`));
  await confirm("This update deletes data. Go on?");
}

/** Pulumi's own count of what it did, as one line. */
export function changesIn(summary: string): string {
  const counts = summary
    .split("\n")
    .flatMap(
      (line) => /^\s+[+~\-]*\s*(\d+ (?:created|updated|deleted|replaced|unchanged))/.exec(line)?.[1] ?? [],
    );
  return counts.length === 0 ? "no changes" : counts.join(", ");
}

/** How to connect, without any secret in it. */
export function connection({ settings, plan, kubectl }: Subject): string[] {
  const { cluster, poolers } = settings;
  const tool = ["kubectl", ...kubectl.flags, "-n", cluster.namespace].join(" ");
  const database = cluster.databases[0];
  const secret = secretNames.application(cluster.name);
  const { authority } = plan.tls;
  const key = authority.key.replaceAll(".", "\\.");
  return [
    "how to connect, from the pods that pgplatform:clients lists:",
    ...poolers.map(({ name }) => {
      const host = serviceHost(poolerName(cluster.name, name), cluster.namespace);
      return `  through the pooler ${name}: ${host}:${poolerPorts.service}`;
    }),
    `  directly: ${plan.endpoints.primary.host}:${plan.endpoints.primary.port}`,
    `  database ${database?.name}, role ${database?.owner}, sslmode=verify-full`,
    `  password: ${tool} get secret ${secret} -o jsonpath='{.data.password}' | base64 -d`,
    `  CA: ${tool} get secret ${authority.secretName} -o jsonpath='{.data.${key}}' | base64 -d`,
    `  as an administrator: ${tool} exec -it svc/${plan.endpoints.primary.service} -c postgres -- psql ${database?.name}`,
  ];
}
