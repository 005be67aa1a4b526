import { chooseCluster, inspectMachine } from "./choice";
import { readSettings, subjectWith } from "./context";
import { engineAsked } from "./layers";
import { Kubectl } from "./kubectl";
import { currentContext, findLive, type Found, quietTools } from "./platform";
import { Progress } from "../shell/progress";
import { exists } from "../shell/paths";
import { UserError } from "../shell/userError";
import { Stack } from "./pulumi";
import { findCluster, type Target } from "./target";

/** What the options of a command say of the platform that it is about. */
export interface Asked {
  readonly stack: string;
  readonly namespace?: string | undefined;
  readonly cluster?: string | undefined;
}

/** The Kubernetes cluster to look into where no stack says it: CONTEXT, else this machine's, else kubectl's own. */
async function targetWithoutStack(): Promise<Pick<Target, "kubeconfig" | "context">> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind !== "none") return findCluster(choice);
  const context = await currentContext();
  if (context === undefined) throw new UserError([choice.why]);
  return { kubeconfig: undefined, context };
}

/** What the stack's copied file says, without asking the machine or Pulumi anything; undefined where it isn't enough. */
async function fromCopy(stackName: string, toolFolders: readonly string[]): Promise<Found | undefined> {
  const stack = new Stack(stackName, toolFolders);
  if (!(await exists(stack.file))) return undefined;
  const settings = await readSettings(stack);
  const { context, kubeconfig } = settings.kubernetes;
  const { CONTEXT = "" } = process.env;
  const asked = engineAsked();
  if (context === undefined || (CONTEXT !== "" && CONTEXT !== context)) return undefined;
  if (asked !== undefined && asked !== settings.cluster.engine) return undefined;
  const subject = subjectWith(settings, { kubeconfig, context }, toolFolders);
  return { platform: subject, subject, context };
}

/** Whether the API server answers at once; a command for the one on call doesn't wait for long. */
const answersSoon = (kubectl: Kubectl): Promise<boolean> =>
  kubectl.run(["get", "--raw", "/readyz"], { timeoutMs: 3_000 }).then(
    () => true,
    () => false,
  );

/** The platform that a command is about: the stack's, or with `--namespace` or `--cluster` one that is found by its live objects. */
export async function findPlatform({ stack, namespace, cluster }: Asked): Promise<Found> {
  const toolFolders = await quietTools();
  if (namespace === undefined && cluster === undefined) {
    const found = await fromCopy(stack, toolFolders);
    if (found && (await answersSoon(found.platform.kubectl))) return found;
    // Why nothing can be found is a sentence of its own.
    const { runningSubject } = await import("./running");
    const { subject, target } = await runningSubject(stack, new Progress(() => undefined));
    return { platform: subject, subject, context: target.context };
  }
  const target = await targetWithoutStack();
  const kubectl = new Kubectl(target, toolFolders);
  if (!(await answersSoon(kubectl)))
    throw new UserError([
      `The Kubernetes cluster of context "${target.context}" does not answer. Fix: name another with --context, of \`kubectl config get-contexts\`.`,
    ]);
  return { platform: await findLive(kubectl, { namespace, cluster }), context: target.context };
}
