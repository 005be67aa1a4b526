import { readers } from "../../plan/engines/readers";
import { clusterLabel, poolerLabels, serverContainer } from "../../plan/names";
import { type Progress } from "../../shell/progress";
import { confirm } from "../confirm";
import { writeAndRead } from "../health";
import { inServer, metricsCommand } from "../inContainer";
import { type KubeObject, selectorOf } from "../kubectl";
import { clusterObject, type Found, instancePods, type Platform, placeOf } from "../platform";
import { readReport } from "../status/command";
import { askStranger } from "../stranger";
import type { Check, Outcome, Seen } from "./check";
import { killPrimary } from "./disruption";
import { furtherChecks } from "./furtherChecks";
import { type Result, resultOf, type Validation } from "./results";
import { seedChecks } from "./seedChecks";

/** Reads what the checks need, makes them, and with disruption ends the primary and looks again. */

export const checks: readonly Check[] = [...seedChecks, ...furtherChecks];

const silent = { detail: () => undefined, say: () => undefined };

/** Whether an instance's metrics can be read in its own pod; undefined where they are elsewhere. */
async function readMetrics(
  { platform, subject }: Found,
  pods: readonly KubeObject[],
  port: number | undefined,
): Promise<Seen["metrics"]> {
  if (port === undefined || subject?.plan.metricsPods !== undefined || platform.engine.name === "zalando")
    return undefined;
  const get = metricsCommand(port, "head -c 2000");
  const read = await Promise.all(
    pods.map(async ({ metadata: { name } }): Promise<[string, string | undefined]> => {
      const { stdout, exitCode } = await platform.kubectl
        .run([...inServer(platform, name), ...get], { allowFailure: true, timeoutMs: 15_000 })
        .catch(() => ({ stdout: "", exitCode: 1 }));
      const good = exitCode === 0 && /^HTTP\/1\.\d 200/.test(stdout);
      return [name, good ? undefined : stdout.split("\r\n")[0] || `port ${port} does not answer`];
    }),
  );
  return new Map(read);
}

/** What a client in the cluster, or a stranger, says: nothing where all is well. */
const problemOf = async (work: () => Promise<string | void>): Promise<{ problem?: string }> => {
  try {
    const said = await work();
    return typeof said === "string" ? { problem: said } : {};
  } catch (error) {
    return { problem: (error as Error).message.split("\n")[0] ?? "" };
  }
};

async function logLinesOf({ kubectl, settings }: Platform, pods: readonly KubeObject[]): Promise<number> {
  const [pod] = pods;
  if (pod === undefined) return 0;
  const at = [
    "-n",
    settings.cluster.namespace,
    "logs",
    pod.metadata.name,
    "-c",
    serverContainer,
    "--tail=200",
  ];
  const { stdout } = await kubectl.run(at, { allowFailure: true, timeoutMs: 15_000 });
  return stdout.split("\n").filter((line) => line !== "").length;
}

export async function read(found: Found, progress: Progress): Promise<Seen> {
  const { platform, subject } = found;
  const { kubectl, settings, engine } = platform;
  const { namespace, name } = settings.cluster;
  const all = (kind: string) => kubectl.query(kind, namespace, {});
  return progress.step("what runs", async () => {
    const [report, cluster, instances, services, slices, claims, budgets, policies] = await Promise.all([
      readReport(found),
      clusterObject(platform),
      instancePods(platform),
      all("services"),
      all("endpointslices.discovery.k8s.io"),
      all("persistentvolumeclaims"),
      all("poddisruptionbudgets.v1.policy"),
      all("networkpolicies.networking.k8s.io"),
    ]);
    const poolerPods = (
      await Promise.all(
        settings.poolers.map((pooler) =>
          kubectl.list("pods", namespace, selectorOf(poolerLabels(name, pooler.name))),
        ),
      )
    ).flat();
    const facts = cluster && readers[engine.name].facts(cluster);
    const metrics = await readMetrics(found, instances, facts?.network.ports.metrics);
    const [client, stranger] = subject
      ? [
          await problemOf(() => writeAndRead(subject, silent)),
          await problemOf(() => askStranger(subject, silent)),
        ]
      : [];
    return {
      found,
      report,
      cluster,
      facts,
      instances,
      poolerPods,
      services,
      slices,
      // Those of other programs in the namespace are theirs.
      claims: claims.filter(
        (claim) => instancesClaim(claim, instances) || claim.metadata.labels?.[clusterLabel] === name,
      ),
      budgets: budgets.filter(({ metadata }) => metadata.name.includes(name)),
      policies,
      ...(metrics && { metrics }),
      ...(client && { client }),
      ...(stranger && { stranger }),
      logLines: await logLinesOf(platform, instances),
    };
  });
}

const instancesClaim = ({ metadata: { name } }: KubeObject, pods: readonly KubeObject[]): boolean =>
  pods.some(({ spec }) =>
    ((spec?.volumes ?? []) as { persistentVolumeClaim?: { claimName: string } }[]).some(
      ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === name,
    ),
  );

/** A check that can't be made has failed, with its words. */
function make(check: Check, seen: Seen): Result {
  let outcome: Outcome;
  try {
    outcome = check.look(seen);
  } catch (error) {
    outcome = { passed: false, says: (error as Error).message };
  }
  return resultOf(check, outcome);
}

export interface ValidateOptions {
  readonly disruption: boolean;
  readonly boundSeconds: number;
}

const failover = {
  id: "failover",
  seed: 10,
  title: "writes work again in time after the primary is deleted",
  next: "pgp history",
};
const reconnect = {
  id: "reconnect",
  seed: 12,
  title: "a client in the cluster writes again after it",
  next: "pgp logs --no-follow --since 10m --level warning",
};

export async function validate(
  found: Found,
  { disruption, boundSeconds }: ValidateOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Validation> {
  const { platform, subject } = found;
  const { namespace, name } = platform.settings.cluster;
  if (disruption)
    await confirm(
      `validate deletes the primary's pod of ${placeOf(platform)} by force, to see a failover (--no-disruption leaves that out). Continue?`,
    );
  const seen = await read(found, progress);
  const results = checks.map((check) => make(check, seen));
  if (!disruption)
    results.push(resultOf(failover, { passed: undefined, says: "left out by --no-disruption" }));
  else if (results.some(({ result }) => result === "failed"))
    results.push(
      resultOf(failover, { passed: undefined, says: "left out, since something is wrong already" }),
    );
  else {
    const outcome = await progress.step("failover", (context) =>
      killPrimary(found, boundSeconds, context, signal),
    );
    results.push(resultOf(failover, outcome));
    if (subject)
      results.push(
        await progress.step("a client", async () => {
          const { problem } = await problemOf(() => writeAndRead(subject, silent));
          return resultOf(reconnect, { passed: problem === undefined, says: problem ?? "" });
        }),
      );
  }
  return {
    at: new Date().toISOString(),
    namespace,
    cluster: name,
    engine: platform.engine.name,
    checks: results,
    failed: results.filter(({ result }) => result === "failed").length,
  };
}
