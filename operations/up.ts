import { stackImages } from "../plan/images";
import { poolerName, poolerPorts, serviceHost, serverContainer } from "../plan/names";
import { manifestFiles } from "../local/manifests";
import { manifestsOf } from "../releases/manifest";
import { credentialOf, keysOf } from "../plan/postgres/roles";
import { provideTools } from "../local/toolchain/tools";
import { archiveNow, completeArchive, idsOfFormer } from "./archive";
import { firstBackup, missingSource, whileAnswered } from "./backup";
import { adopt } from "./adopt";
import { announcements } from "./announce";
import { beginRestore } from "./beginRestore";
import { chooseCluster, inspectMachine } from "./choice";
import { keepEngine, settingsOfTree, subjectOf, subjectWith } from "./context";
import { growFull } from "./fullVolumes";
import { plannedUpdate, staysAnyway, toldAllowances } from "./guard";
import { judged, type Subject, waitUntilDone, writeAndRead } from "./health";
import { engineAsked, layersOver } from "./layers";
import { waitUntilLoaded } from "./loaded";
import { checkLive, operatorOf } from "./liveCheck";
import { waitUntilUnused } from "./oldLogins";
import { type Progress, type StepContext } from "../shell/progress";
import { changesIn, typeOf } from "./plannedSteps";
import { type Overlay, readStackFile, Stack } from "./pulumi";
import { KEPT, otherArchives, readRestored, waitUntilBegun, whileRestoring, withRestored } from "./restored";
import { isLeft, whileRolling } from "./rolling";
import { meaningOf, rotationOverlay, stagesBefore } from "./rotation";
import { isUpgrade } from "../plan/changes/cluster";
import { firstStepOf } from "./steps";
import { askStranger } from "./stranger";
import { findCluster, provideCluster } from "./target";
import { whileJudgingEnd } from "./restoreEnd";
import { whileWatching } from "./watch";
import type { Shape } from "../plan/engines/live";
import { plannerOf } from "../plan/engines/select";
import type { Settings } from "../settings/schema";
import { UserError } from "../shell/userError";
import { removeUnanswered } from "./webhooks";

/** Tools, and the operators' manifests of these names: what a preview needs beside Node.js. */
export async function prepareTools(
  progress: Progress,
  manifests: readonly string[],
  signal?: AbortSignal,
): Promise<string[]> {
  return progress.step("tools", async (context) => {
    const folders = await provideTools(context, signal);
    await manifestFiles(manifests);
    return folders;
  });
}

interface Extra {
  /** What is laid over the stack file. */
  readonly more?: Overlay;
  /** Whether the command restores, and asks before it does. */
  readonly restores?: boolean;
}

/** The main job: tools, cluster, `pulumi up`, health, how to connect. Returns the closing line. */
export async function up(
  stackName: string,
  progress: Progress,
  signal: AbortSignal,
  { more = {}, restores = false }: Extra = {},
): Promise<string> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  // Before anything is built or touched: a wrong stack file is refused within the first second.
  const layers = layersOver(await readStackFile(stackName), {
    engine: engineAsked(),
    builtIn: choice.kind === "built-in",
  });
  const written = { ...findCluster(choice).overlay, ...layers.overlay, ...more };
  const asWritten = await settingsOfTree(stackName, written);
  await keepEngine(new Stack(stackName, []), asWritten.cluster.engine);
  progress.line(
    `cluster: ${{ context: "the one of CONTEXT", k3d: "k3d", "built-in": "built-in" }[choice.kind]}`,
  );
  layers.said.forEach((line) => progress.line(`  laid over Pulumi.${stackName}.yaml: ${line}`));
  toldAllowances(asWritten, (line) => progress.line(`  ${line}`));

  const toolFolders = await prepareTools(progress, manifestsOf(asWritten), signal);
  const stack = new Stack(stackName, toolFolders, signal);
  const target = await progress.step("Kubernetes", (context) =>
    provideCluster(
      { choice, images: stackImages(asWritten, plannerOf(asWritten)), toolFolders },
      context,
      signal,
    ),
  );
  const { overlay, settings } = await withRestored(stackName, written, asWritten, (one) =>
    readRestored(subjectWith(one, target, toolFolders, signal)),
  );
  if (settings !== asWritten) progress.line(`  laid over Pulumi.${stackName}.yaml: ${KEPT}`);
  const subject = subjectWith(settings, target, toolFolders, signal);
  const { facts, shape, verdict } = await progress.step("preflight", (context) =>
    checkLive(subject, stack, context),
  );
  await beginRestore({ stack, subject, overlay, facts, verdict, asks: restores }, progress, signal);

  await progress.step("pulumi up", async (context) => {
    await stack.prepare(overlay);
    await stack.recover(context);
    await removeUnanswered(subject, operatorOf(settings), context);
    await stack.refresh(context);
    const first = await firstStepOf(stackName, overlay, subject.engine, facts.cluster, shape);
    announcements(subject, facts.cluster, shape, first).forEach((line) => context.say(line));
    const { config } = await readStackFile(stackName);
    const { rotation } = settings;
    const stages = stagesBefore(facts.rotation, rotation);
    // A cluster that is gone takes its archive's ID with it: the next one is another database cluster.
    const redrawn = facts.cluster === undefined ? idsOfFormer(await stack.resources()) : [];
    const updateWith = async (more: Overlay) => {
      await stack.prepare({ ...overlay, ...more });
      await update(
        stack,
        await subjectOf(stack, target, toolFolders, signal),
        facts.cluster,
        context,
        signal,
      );
    };
    if (first !== undefined) {
      context.say("first update");
      const before = facts.rotation && rotationOverlay(config, facts.rotation);
      await updateWith({ ...first.overlay, ...(stages.length > 0 && before) });
      context.say("second update");
    }
    for (const stage of stages) {
      context.say(`passwords of credential version ${rotation.credentialVersion}: ${meaningOf[stage]}`);
      await updateWith(rotationOverlay(config, { ...rotation, stage }));
    }
    if (stages.length > 0) {
      await waitUntilUnused(subject, context, signal);
      context.say("no session uses the old logins any more: they are closed");
      // Otherwise the last wait's detail would stay on the progress line.
      context.detail("the old logins are closed");
    }
    await stack.prepare(overlay);
    await stack.lift(redrawn, staysAnyway);
    if (archives(settings) && isUpgrade(facts.cluster, shape))
      await completeArchive(subject, context, signal);
    await update(stack, subject, facts.cluster, context, signal, redrawn);
  });
  await progress.step("health: a client", (context) => writeAndRead(subject, context));
  const unguarded = await progress.step("network: a stranger", (context) => askStranger(subject, context));

  if (facts.cluster === undefined)
    (await otherArchives(subject)).forEach((line) => progress.line(`note: ${line}`));
  connection(subject).forEach((line) => progress.line(line));
  drained(settings).forEach((line) => progress.line(line));
  if (unguarded !== undefined) progress.line(unguarded);
  const { name, instances, namespace } = settings.cluster;
  const way = settings.poolers.length > 0 ? "through the pooler" : "directly";
  const read = instances > 1 ? " and read on a standby" : "";
  return `PostgreSQL ${name} is up: ${instances} ${instances === 1 ? "instance" : "instances"} in namespace ${namespace}; a row was written ${way}${read}.`;
}

/** One `pulumi up`, until every instance is as it should be; nothing is done when nothing is planned. */
async function update(
  stack: Stack,
  subject: Subject,
  live: Shape | undefined,
  context: StepContext,
  signal: AbortSignal,
  redrawn: readonly string[] = [],
): Promise<void> {
  await growFull(subject, context);
  const plan = await plannedUpdate(stack, subject, context);
  const operator = subject.settings.operator.install ? operatorOf(subject.settings) : undefined;
  const changesCluster = plan.some(({ urn }) => judgedTypes(subject).has(typeOf(urn)));
  const archive = await archiveNow(subject);
  const began = new Date();
  const apply = async (end: AbortSignal) => {
    const applied = new AbortController();
    const adopted = adopt(subject, context, AbortSignal.any([signal, end, applied.signal]));
    context.say(
      plan.length === 0
        ? "no changes"
        : changesIn(await stack.up(context, end, redrawn).finally(() => applied.abort())),
    );
    applied.abort();
    await adopted;
    const moved = archive !== undefined && archive !== (await archiveNow(subject)) ? began : undefined;
    await whileAnswered(subject, AbortSignal.any([signal, end]), async (answered) => {
      await waitUntilBegun(subject, context, answered);
      await waitUntilDone(subject, context, answered);
      await waitUntilLoaded(subject, context, answered);
      if (subject.settings.backup?.firstBackup === true) await firstBackup(subject, context, answered, moved);
    });
  };
  const leads = plan.length > 0 || (await isLeft(subject));
  const lead = (work: () => Promise<void>) =>
    leads ? whileRolling(subject, live, context, signal, work) : work();
  // Outside of what watches the pods: it tells by the object's generation whether the update has come.
  await lead(() =>
    whileWatching(subject, operator, changesCluster, context, (watched) =>
      whileRestoring(subject, watched, (end) => whileJudgingEnd(subject, context, end, apply)),
    ),
  ).catch(async (error: unknown) => {
    const missing = await missingSource(subject);
    throw missing === undefined ? error : new UserError([missing]);
  });
}

const archives = ({ backup }: Settings): boolean => (backup?.targets.length ?? 0) > 0;

/** Pulumi's types of the objects that the engine judges. */
const judgedTypes = (subject: Subject): Set<string> =>
  new Set(judged(subject).map(({ apiVersion, kind }) => `kubernetes:${apiVersion}:${kind}`));

/** What a drain does to a single instance. */
export const drained = ({ cluster }: Settings): string[] =>
  cluster.instances > 1
    ? []
    : [
        cluster.drains === "wait"
          ? "one instance: a drain of its node waits for ever, until pgplatform:cluster.drains is allow"
          : "one instance: a drain of its node stops the database until its pod runs elsewhere",
      ];

/** How to connect, without any secret in it. */
export function connection({ settings, plan, kubectl }: Subject): string[] {
  const { cluster, poolers } = settings;
  const tool = ["kubectl", ...kubectl.flags, "-n", cluster.namespace].join(" ");
  const database = cluster.databases[0];
  const credential = credentialOf(plan.credentials, database?.owner ?? "");
  const { role, secretName: secret } = credential;
  const { ca } = plan.tls;
  const escaped = (key: string) => key.replaceAll(".", "\\.");
  return [
    "how to connect, from the pods that pgplatform:clients lists:",
    ...poolers.map(({ name }) => {
      const host = serviceHost(poolerName(cluster.name, name), cluster.namespace);
      return `  through the pooler ${name}: ${host}:${poolerPorts.service}`;
    }),
    `  directly: ${plan.endpoints.primary.host}:${plan.endpoints.primary.port}`,
    `  database ${database?.name}, role ${role}, sslmode=verify-full`,
    `  password: ${tool} get secret ${secret} -o jsonpath='{.data.${escaped(keysOf(credential).password)}}' | base64 -d`,
    `  CA: ${tool} get secret ${ca.secretName} -o jsonpath='{.data.${escaped(ca.key)}}' | base64 -d`,
    `  as an administrator: ${tool} exec -it svc/${plan.endpoints.primary.service} -c ${serverContainer} -- psql ${database?.name}`,
  ];
}
