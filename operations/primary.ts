import { parseResults, type ResultOf } from "../plan/backup/results";
import type { KubernetesObject } from "../plan/objects";
import { inServer } from "./inContainer";
import { type Platform } from "./platform";
import { selectorOf } from "./kubectl";

/** What is asked of the primary itself, in its pod. */

const WAITING =
  "select json_build_object('kind', 'waiting', 'segments', count(*), " +
  "'seconds', coalesce(extract(epoch from clock_timestamp() - min(modification))::int, 0)) " +
  "from pg_ls_archive_statusdir() where name ~ '^[0-9A-F]{24}[.]ready$'";

/** The pod of the instance that is called the primary; undefined while there is none. */
export async function primaryPod({
  kubectl,
  settings,
  engine,
}: Platform): Promise<KubernetesObject | undefined> {
  const { namespace, name } = settings.cluster;
  const { role } = engine.instancePods;
  const labels = { ...engine.instancePods.labels(name), ...(role && { [role.label]: role.primary }) };
  const [pod] = await kubectl.list("pods", namespace, selectorOf(labels));
  return pod;
}

/** What the primary answers to statements of its superuser, over its local socket; undefined without a primary that answers. */
export async function askPrimary(
  subject: Platform,
  statements: readonly string[],
  timeoutMs = 20_000,
  database = "postgres",
): Promise<string | undefined> {
  const pod = await primaryPod(subject);
  if (pod === undefined) return undefined;
  const at = inServer(subject, pod.metadata.name);
  const commands = statements.flatMap((statement) => ["-c", statement]);
  // An owner may give its database another path, on which its own objects hide the server's from a superuser's session.
  const env = ["env", "PGCONNECT_TIMEOUT=5", "PGOPTIONS=-csearch_path=pg_catalog"];
  const psql = [...env, "psql", "-XAtqU", "postgres", "-d", database, ...commands];
  const { stdout, exitCode } = await subject.kubectl.run([...at, ...psql], {
    allowFailure: true,
    timeoutMs,
  });
  return exitCode === 0 ? stdout : undefined;
}

/** What waits to be archived; undefined without a primary that answers. */
export async function waitingLog(subject: Platform): Promise<ResultOf<"waiting"> | undefined> {
  const [answer] = parseResults((await askPrimary(subject, [WAITING])) ?? "", "waiting");
  if (answer?.kind === "unknown")
    throw new Error(`the primary answers what isn't understood: ${answer.line}`);
  return answer;
}
