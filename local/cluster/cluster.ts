import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StepContext } from "../../shell/progress";
import { buildImages, type BuiltImage } from "../images/build";
import { buildKubectl, buildKubernetes, type KubernetesPrograms } from "../kubernetes/build";
import { addonManifests } from "./addons";
import { removeCgroup } from "./cgroups";
import { startApi, startManagers, stopApi, stopControlPlane } from "./control-plane";
import { ensureBridgeFilter, requireWay } from "./hostFilter";
import { withLock } from "./lock";
import { ensureSwitch, findSwitch, removeNetwork } from "./network";
import { ensureImages, hasImages, importImages, runningSince, startNode, stopNode } from "./nodes";
import { installPackages, missingPackages } from "./packages";
import { cut, describeCut, healNetwork, join as joinAgain, listCuts, type Cut } from "./partition";
import { ensurePki } from "./pki";
import { find, lastLines } from "./processes";
import { apiIsReady, findReadyNodes, kubectl, missingAddons } from "./readiness";
import { nodes, paths, settings, type ClusterNode } from "./settings";
import { apiIsStalled, resumeApi, stallApi } from "./stall";
import { containerdTemplate } from "./template";
import { waitFor } from "./wait";

/** The built-in cluster: three nodes on this Linux machine, each in namespaces of its own, without a container engine. */

export interface ClusterAccess {
  /** Path of the kubeconfig. */
  kubeconfig: string;
  /** Name of its context. */
  context: string;
}

export interface NodeStatus {
  name: string;
  zone: string;
  running: boolean;
  ready: boolean;
}

export interface ClusterStatus {
  /** `degraded`: some of it runs. `stopped`: nothing runs, the state is kept. `absent`: there is no state. */
  state: "running" | "stopped" | "absent" | "degraded";
  nodes: NodeStatus[];
  /** Faults that were injected and not undone, one sentence each; `up` undoes them. */
  faults: string[];
}

/** What the running cluster was started with, for commands that must not build anything. */
interface InUse extends KubernetesPrograms {
  kubectl: string;
}

const inUseFile = join(settings.folder, "programs.json");

async function readInUse(): Promise<InUse | undefined> {
  const text = await readFile(inUseFile, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as InUse);
}

const access: ClusterAccess = { kubeconfig: paths.kubeconfig, context: settings.name };

function requireHost(): void {
  if (process.platform !== "linux") {
    throw new Error(
      `The built-in cluster needs Linux, and this is ${process.platform}: use a cluster of your own.`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Error("The built-in cluster makes namespaces and control groups: run this as root.");
  }
}

/**
 * Starts the cluster, or what of it doesn't run; builds and installs what is missing, the images of these names among it where
 * they are built here; returns when it can be used. Nodes keep the images that they have.
 */
export async function up(
  context: StepContext,
  images: readonly string[] = [],
  signal?: AbortSignal,
): Promise<ClusterAccess> {
  requireHost();
  return withLock(async () => {
    await installPackages(context, await missingPackages());
    const built = await buildImages(images, context, signal);
    const programs = await buildKubernetes(context, signal);
    const inUse = { ...programs, kubectl: await buildKubectl(context, signal) };
    // Keys and volumes: only this user may read them.
    await chmod(settings.folder, 0o700);
    await writeFile(inUseFile, JSON.stringify(inUse));
    await startAll(context, inUse, built, signal);
    await waitUntilUsable(context, inUse, signal);
    return access;
  });
}

async function startAll(
  context: StepContext,
  programs: InUse,
  images: readonly BuiltImage[],
  signal?: AbortSignal,
): Promise<void> {
  const tars = images.map((image) => image.tar);
  context.detail("certificates");
  await ensurePki();
  const template = (await Promise.all(nodes.map(hasImages))).every(Boolean)
    ? undefined
    : await containerdTemplate(context, tars);
  signal?.throwIfAborted();
  context.detail("network and control plane");
  const switchPid = await ensureSwitch(programs.pause);
  await healNetwork();
  await resumeApi();
  await startApi(programs.node);
  context.detail("nodes");
  await ensureBridgeFilter();
  const pids = await Promise.all(
    nodes.map(async (node) => {
      if (template !== undefined) await ensureImages(node, template, tars);
      return startNode(node, programs, switchPid);
    }),
  );
  context.detail("waiting for the API server");
  await waitFor(() => apiIsReady(programs.kubectl), {
    what: "An answer of the API server",
    timeoutMs: 120_000,
    signal,
    hint: () => lastLines("kube-apiserver"),
  });
  await requireWay(pids[0] as number, signal);
  await startManagers(programs.node);
  await kubectl(
    programs.kubectl,
    ["apply", "--server-side", "--force-conflicts", "--filename=-"],
    await addonManifests(),
  );
  await importImages(context, tars, true);
}

async function waitUntilUsable(context: StepContext, programs: InUse, signal?: AbortSignal): Promise<void> {
  let missing: string[] = [];
  const hint = () => `Missing: ${missing.join(", ")}. Logs are in ${settings.folder}.`;
  const options = { timeoutMs: 180_000, everyMs: 250, signal, hint };
  await waitFor(
    async () => {
      const ready = await findReadyNodes(programs.kubectl);
      missing = nodes.map((node) => node.name).filter((name) => !ready.includes(name));
      context.detail(`waiting for nodes: ${missing.join(", ")}`);
      return missing.length === 0;
    },
    { what: "Three ready nodes", ...options },
  );
  await waitFor(
    async () => {
      missing = await missingAddons(programs.kubectl);
      context.detail(`waiting for ${missing.join(", ")}`);
      return missing.length === 0;
    },
    { what: "Name resolution and storage", ...options },
  );
}

/** Stops the cluster and leaves nothing of it on the machine but its state. */
export async function down(context: StepContext): Promise<void> {
  requireHost();
  const exists = await stat(settings.folder).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  await withLock(() => stopAll(context));
}

async function stopAll(context: StepContext): Promise<void> {
  context.detail("nodes");
  await Promise.all(nodes.map(stopNode));
  context.detail("control plane");
  await resumeApi();
  await stopControlPlane();
  context.detail("network and control groups");
  await removeNetwork();
  await removeCgroup();
}

/** Stops the cluster and deletes its state, volumes included. */
export async function wipe(context: StepContext): Promise<void> {
  await down(context);
  await rm(settings.folder, { recursive: true, force: true });
}

/** What runs; changes nothing. */
export async function status(): Promise<ClusterStatus> {
  const inUse = await readInUse();
  const controlPlane = ["switch", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
  const found = await Promise.all(controlPlane.map(find));
  const running = await Promise.all(nodes.map(runningSince));
  const stalled = await apiIsStalled();
  const apiRuns = !stalled && found.every((record) => record !== undefined);
  const ready = apiRuns && inUse ? await findReadyNodes(inUse.kubectl) : [];
  const list = nodes.map((node, index) => ({
    name: node.name,
    zone: node.zone,
    running: running[index] !== undefined,
    ready: ready.includes(node.name),
  }));
  const cuts = (await listCuts()).map(describeCut);
  const faults = [...cuts, ...(stalled ? ["the API server is stalled"] : [])];
  const anything = found.some((record) => record !== undefined) || list.some((node) => node.running);
  if (apiRuns && list.every((node) => node.ready)) return { state: "running", nodes: list, faults };
  if (anything) return { state: "degraded", nodes: list, faults };
  return { state: inUse ? "stopped" : "absent", nodes: list, faults };
}

/** Brings images, as OCI or Docker archives, to all running nodes. */
export async function loadImages(context: StepContext, tars: readonly string[]): Promise<void> {
  requireHost();
  for (const tar of tars) {
    await stat(tar).catch(() => {
      throw new Error(`There is no image archive ${tar}.`);
    });
  }
  await withLock(async () => {
    const running = await Promise.all(nodes.map(runningSince));
    if (running.every((since) => since === undefined)) {
      throw new Error("No node of the built-in cluster runs: start it before you load images.");
    }
    await importImages(context, tars, false);
  });
}

/** Switches one node off, like a power failure, or on again. */
export async function power(name: string, to: "on" | "off"): Promise<void> {
  requireHost();
  const node: ClusterNode | undefined = nodes.find((candidate) => candidate.name === name);
  if (!node)
    throw new Error(`There is no node ${name}; there are ${nodes.map((one) => one.name).join(", ")}.`);
  await withLock(async () => {
    if (to === "off") {
      await stopNode(node);
      return;
    }
    const inUse = await readInUse();
    const switchPid = await findSwitch();
    if (!inUse || switchPid === undefined) {
      throw new Error("The built-in cluster doesn't run: start it before you switch a node on.");
    }
    await startNode(node, inUse, switchPid);
  });
}

/** Cuts cables of the running cluster, or joins them again. */
export async function network(change: { cut: readonly Cut[] } | { join: Cut } | "heal"): Promise<void> {
  requireHost();
  await withLock(async () => {
    if (change === "heal") await healNetwork();
    else if ("cut" in change) await cut(change.cut);
    else await joinAgain(change.join);
  });
}

/** Ends the API server, starts it again, or makes it silent for so many seconds; `resume` ends the silence early. */
export async function api(change: "stop" | "start" | "resume" | { stallSeconds: number }): Promise<void> {
  requireHost();
  await withLock(async () => {
    if (change === "stop") {
      await resumeApi();
      await stopApi();
    } else if (change === "start") {
      const inUse = await readInUse();
      if (!inUse) throw new Error("The built-in cluster was never started: start it first.");
      await startApi(inUse.node);
      await waitFor(() => apiIsReady(inUse.kubectl), {
        what: "An answer of the API server",
        timeoutMs: 120_000,
        hint: () => lastLines("kube-apiserver"),
      });
      await startManagers(inUse.node);
    } else if (change === "resume") await resumeApi();
    else await stallApi(change.stallSeconds);
  });
}
