import { provideTools } from "../../../local/toolchain/tools";
import { keepEngine, readSettings, subjectOf } from "../../../operations/context";
import { type Subject } from "../../../operations/health";
import { engineAsked } from "../../../operations/layers";
import { stateDir } from "../../../shell/paths";
import { Stack } from "../../../operations/pulumi";
import { poolerName, serviceHost } from "../../../plan/names";
import { join } from "node:path";
import { Cluster, expectedOf } from "./cluster";

/** The stack that the tests work on. */
export const stackName = process.env.STACK ?? "local";

/** Where raw samples and logs of the tests are kept. */
export const resultsDir = join(stateDir, "e2e");

/** The running stack as the tests see it. Everything has its name from the settings and the plan, not from here. */
export interface Environment extends Subject {
  stack: Stack;
  toolFolders: readonly string[];
  cluster: Cluster;
  /** The first pooler: name of its Deployment, host of its Service. */
  pooler: { name: string; host: string };
  port: number;
}

let known: Promise<Environment> | undefined;

/** Looks the running stack up, once. */
export const environment = (): Promise<Environment> => (known ??= lookUp());

async function lookUp(): Promise<Environment> {
  const toolFolders = await provideTools({ detail: () => undefined, say: () => undefined });
  const stack = new Stack(stackName, toolFolders);
  await keepEngine(stack, engineAsked());
  const { kubernetes } = await readSettings(stack);
  if (kubernetes.context === undefined) throw new Error(`stack ${stackName} names no Kubernetes context`);
  const target = { kubeconfig: kubernetes.kubeconfig, context: kubernetes.context };
  const subject = await subjectOf(stack, target, toolFolders);
  const { settings, engine, plan, kubectl } = subject;
  const { name, namespace } = settings.cluster;
  const [first] = settings.poolers;
  if (first === undefined) throw new Error(`stack ${stackName} has no pooler to test`);
  const pooler = poolerName(name, first.name);
  return {
    ...subject,
    stack,
    toolFolders,
    cluster: new Cluster(kubectl, engine, namespace, name, expectedOf(settings.cluster)),
    pooler: { name: pooler, host: serviceHost(pooler, namespace) },
    port: plan.endpoints.primary.port,
  };
}
