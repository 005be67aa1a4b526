import { chooseCluster, inspectMachine } from "./choice";
import { readSettings, subjectWith } from "./context";
import { engineAsked } from "./layers";
import { Kubectl } from "./kubectl";
import { ProxyKubectl } from "./proxy";
import { currentContext, findLive, type Found, quietTools } from "./platform";
import { Progress } from "../shell/progress";
import { exists } from "../shell/paths";
import { UserError } from "../shell/userError";
import type { Settings } from "../settings/schema";
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
async function settingsOfCopy(
  stackName: string,
): Promise<{ settings: Settings; target: Pick<Target, "kubeconfig" | "context"> } | undefined> {
  const stack = new Stack(stackName, []);
  if (!(await exists(stack.file))) return undefined;
  const settings = await readSettings(stack);
  const { context, kubeconfig } = settings.kubernetes;
  const { CONTEXT = "" } = process.env;
  const asked = engineAsked();
  if (context === undefined || (CONTEXT !== "" && CONTEXT !== context)) return undefined;
  if (asked !== undefined && asked !== settings.cluster.engine) return undefined;
  return { settings, target: { kubeconfig, context } };
}

/** kubectl that stays; undefined where the API server doesn't answer at once: a command for the one on call doesn't wait for long. */
async function openSoon(
  target: Pick<Target, "kubeconfig" | "context">,
  toolFolders: readonly string[],
): Promise<ProxyKubectl | undefined> {
  const kubectl = await ProxyKubectl.open(new Kubectl(target, toolFolders)).catch(() => undefined);
  if (kubectl === undefined || (await kubectl.isReady(3_000))) return kubectl;
  await kubectl.close();
  return undefined;
}

/**
 * Finds the platform that a command is about, the stack's, or with `--namespace` or `--cluster` one by its live objects, and works with it. kubectl stays
 * for as long as the work takes.
 */
export async function withPlatform<T>(
  { stack, namespace, cluster }: Asked,
  work: (found: Found) => Promise<T>,
): Promise<T> {
  const toolFolders = await quietTools("kubectl");
  const byName = namespace !== undefined || cluster !== undefined;
  const copy = byName ? undefined : await settingsOfCopy(stack);
  const target = byName ? await targetWithoutStack() : copy?.target;
  const kubectl = target && (await openSoon(target, toolFolders));
  try {
    if (kubectl && target && copy) {
      const subject = { ...subjectWith(copy.settings, target, toolFolders), kubectl };
      return await work({ platform: subject, subject, context: target.context });
    }
    if (kubectl && target)
      return await work({
        platform: await findLive(kubectl, { namespace, cluster }),
        context: target.context,
      });
    if (target && byName)
      throw new UserError([
        `The Kubernetes cluster of context "${target.context}" does not answer. Fix: name another with --context, of \`kubectl config get-contexts\`.`,
      ]);
    // Why nothing can be found is a sentence of its own.
    const { runningSubject } = await import("./running");
    const running = await runningSubject(stack, new Progress(() => undefined));
    return await work({
      platform: running.subject,
      subject: running.subject,
      context: running.target.context,
    });
  } finally {
    await kubectl?.close();
  }
}
