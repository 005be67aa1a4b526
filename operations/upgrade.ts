import { plannedCluster, type Subject } from "./health";
import { type KubeObject, selectorOf } from "./kubectl";
import { isUpgrade } from "../plan/changes/cluster";

/** What the search for a failed upgrade needs of a subject. */
type Asked = Pick<Subject, "kubectl" | "settings" | "live" | "plan">;

/**
 * Says why the data's upgrade to the planned major version has failed; undefined while it has not, and where none is wanted. The operator waits for ever then, with the
 * database stopped.
 */
export async function failedUpgrade(
  subject: Asked,
  cluster: KubeObject | undefined,
): Promise<string[] | undefined> {
  const { kubectl, settings, live } = subject;
  const { upgrade } = live;
  if (upgrade === undefined || cluster === undefined) return undefined;
  const [from, to] = [live.shape(cluster), live.shape(plannedCluster(subject as Subject).object)];
  if (to === undefined || !isUpgrade(from, to)) return undefined;
  const { name, namespace } = settings.cluster;
  const { pods } = upgrade;
  const found = await kubectl.list("pods", namespace, selectorOf(pods.labels(name)));
  const failed = found.find(({ status }) => (status as { phase?: string } | undefined)?.phase === "Failed");
  if (failed === undefined) return undefined;
  const pod = failed.metadata.name;
  const at = ["-n", namespace, "logs", pod, "-c", pods.container, "--tail=100"];
  const { stdout } = await kubectl.run(at, { allowFailure: true });
  const why = upgrade.words(stdout) || "its log says why";
  return [
    `The upgrade of the data from PostgreSQL ${from?.major} to ${to.major} has failed (Pod ${namespace}/${pod}, container ${pods.container}): ${why}`,
    `The database is stopped; its data are still those of ${from?.major}. Set cluster.postgresVersion, and the image where you have named one, back to ${from?.major} and run \`make up\`: it starts as it was. Remove the cause before you try again.`,
  ];
}
