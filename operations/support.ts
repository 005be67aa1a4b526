import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { poolerLabels } from "../plan/names";
import { type StepContext } from "../shell/progress";
import { run } from "../shell/process";
import { type Found, clusterObject, instancePods, placeOf, type Platform } from "./platform";
import { type KubeObject, selectorOf } from "./kubectl";
import { masker, secretsIn, withoutValues } from "../plan/masking";
import { askPrimary } from "./primary";
import { assess } from "./status/assess";
import { gather } from "./status/gather";
import { screen } from "./status/screen";

/** A bundle for those who help: what is there, what it says, and nothing that is secret. */

/** Kinds of the namespace whose objects are in it. */
const kinds = [
  "pods",
  "deployments.apps",
  "statefulsets.apps",
  "services",
  "endpoints",
  "persistentvolumeclaims",
  "configmaps",
  "events",
  "poddisruptionbudgets.v1.policy",
  "networkpolicies.v1.networking.k8s.io",
  "jobs.v1.batch",
  "cronjobs.v1.batch",
] as const;

/** What the primary is asked. */
const questions: Readonly<Record<string, string>> = {
  version: "select version()",
  settings:
    "select name, setting, unit, source, pending_restart from pg_settings where source <> 'default' order by name",
  replication: "select * from pg_stat_replication",
  slots: "select * from pg_replication_slots",
  archiver: "select * from pg_stat_archiver",
  databases: "select datname, pg_size_pretty(pg_database_size(datname)), age(datfrozenxid) from pg_database",
  sessions:
    "select pid, usename, datname, application_name, state, wait_event_type, wait_event, xact_start, state_change from pg_stat_activity",
};

const LOG_LINES = 5_000;

/** The texts of the bundle by their names, masked. */
export async function bundleOf(found: Found, context: StepContext): Promise<Map<string, string>> {
  const { platform, subject } = found;
  const { kubectl, settings } = platform;
  const { namespace, name } = settings.cluster;
  const raw = new Map<string, string>();
  const failed: string[] = [];
  const read = async (what: string, work: () => Promise<void>) => {
    context.detail(what);
    await work().catch((error: unknown) =>
      failed.push(`${what}: ${(error as Error).message.split("\n")[0]}`),
    );
  };

  const secrets: KubeObject[] = [];
  // What is secret must be known before anything else may leave: without it there is no bundle.
  for (const one of await kubectl.query("secrets", namespace, {})) secrets.push(one);
  const values = secrets.flatMap((one) =>
    secretsIn((one as unknown as { data?: Record<string, string> }).data ?? {}),
  );
  raw.set("secrets.yaml", stringify(secrets.map(withoutValues), { lineWidth: 0 }));

  await read("status", async () => {
    const report = assess(found, await gather(found));
    raw.set("status.json", JSON.stringify(report, undefined, 2));
    raw.set("status.txt", screen(report, { width: 160, colour: false }).join("\n"));
  });
  await read("the cluster's object", async () => {
    raw.set("cluster.yaml", stringify(withoutValues(await clusterObject(platform)), { lineWidth: 0 }));
  });
  for (const kind of kinds)
    await read(kind, async () => {
      const objects = await kubectl.query(kind, namespace, {});
      raw.set(`${kind.split(".")[0]}.yaml`, stringify(objects.map(withoutValues), { lineWidth: 0 }));
    });
  await read("nodes", async () => {
    const nodes = await kubectl.query("nodes", namespace, {});
    raw.set("nodes.yaml", stringify(nodes.map(withoutValues), { lineWidth: 0 }));
  });
  for (const [title, statement] of Object.entries(questions))
    await read(`PostgreSQL: ${title}`, async () => {
      const answer = await askPrimary(
        platform,
        ["\\pset format aligned", "\\pset tuples_only off", statement],
        10_000,
      );
      raw.set(`postgresql/${title}.txt`, answer ?? "the primary did not answer");
    });
  await readLogs(platform, raw, read);
  if (subject) raw.set("settings.yaml", stringify(withoutValues(subject.settings), { lineWidth: 0 }));
  raw.set(
    "README.txt",
    [
      `pgp support, ${new Date().toISOString()}: ${placeOf(platform)}, ${platform.engine.name}, context ${found.context}`,
      `Cluster ${name}. Passwords, keys and tokens are masked; logs may still name your users, databases and statements.`,
      ...(failed.length === 0 ? [] : ["Not read:", ...failed.map((one) => `  ${one}`)]),
    ].join("\n"),
  );
  const mask = masker(values);
  return new Map([...raw].map(([file, text]) => [file, mask(text)]));
}

/** Logs of instances, poolers and the operator, those of containers that ended before too. */
async function readLogs(
  platform: Platform,
  raw: Map<string, string>,
  read: (what: string, work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { kubectl, settings, engine } = platform;
  const { namespace, name } = settings.cluster;
  const pods: { namespace: string; pod: KubeObject }[] = [];
  await read("pods with logs", async () => {
    for (const pod of await instancePods(platform)) pods.push({ namespace, pod });
    for (const pooler of settings.poolers)
      for (const pod of await kubectl.list("pods", namespace, selectorOf(poolerLabels(name, pooler.name))))
        pods.push({ namespace, pod });
    if (engine.operatorNamespace !== undefined)
      for (const pod of await kubectl.query("pods", engine.operatorNamespace, {}))
        pods.push({ namespace: engine.operatorNamespace, pod });
  });
  for (const { namespace: where, pod } of pods) {
    const containers = (pod.spec?.containers ?? []) as { name: string }[];
    for (const { name: container } of containers)
      await read(`logs of ${pod.metadata.name} ${container}`, async () => {
        const at = ["-n", where, "logs", pod.metadata.name, "-c", container, `--tail=${LOG_LINES}`];
        const { stdout } = await kubectl.run(at, { allowFailure: true, timeoutMs: 30_000 });
        raw.set(`logs/${pod.metadata.name}.${container}.log`, stdout);
        const before = await kubectl.run([...at, "--previous"], { allowFailure: true, timeoutMs: 30_000 });
        if (before.exitCode === 0)
          raw.set(`logs/${pod.metadata.name}.${container}.previous.log`, before.stdout);
      });
  }
}

/** Writes the bundle as a compressed archive that this user alone can read; gives its path. */
export async function writeBundle(found: Found, file: string, context: StepContext): Promise<string> {
  const texts = await bundleOf(found, context);
  const folder = await mkdtemp(join(tmpdir(), "pgp-support-"));
  try {
    for (const [name, text] of texts) {
      const path = join(folder, "support", name);
      await mkdir(join(path, ".."), { recursive: true });
      await writeFile(path, text);
    }
    const target = resolve(file);
    await run("tar", ["-czf", target, "-C", folder, "support"], { env: { GZIP: undefined } });
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
