import { availableParallelism, totalmem } from "node:os";
import { type Ability, type EngineTraits } from "../plan/engines/planner";
import { planners } from "../plan/engines/select";
import { nodeShare, type Share } from "../local/cluster/node-config";
import { nodes } from "../local/cluster/settings";
import { pins } from "../releases/pins";
import { platformDefaults } from "../checks/defaults";
import { keyGiven } from "../plan/backup/targets";
import { bytesOf, milliCoresOf } from "../settings/quantity";
import { UserError } from "../shell/userError";
import { type Overlay, type StackFile } from "./pulumi";

/** What a command lays over a stack file besides the cluster that it uses, and each part of it in words. */
export interface Layers {
  readonly overlay: Overlay;
  readonly said: readonly string[];
}

type EngineName = EngineTraits["name"];

/** The engine that `ENGINE=…` asks for; undefined when nothing is asked. */
export function engineAsked(name = process.env.ENGINE): EngineName | undefined {
  if (name === undefined || name === "") return undefined;
  const known = Object.values(planners).map((engine) => engine.name);
  const found = known.find((one) => one === name);
  if (found === undefined)
    throw new UserError([`ENGINE: "${name}" is no engine; the engines are ${known.join(", ")}.`]);
  return found;
}

/** Another value for a setting; undefined removes it. */
interface Change {
  readonly path: string;
  readonly value: unknown;
  readonly because?: string;
  /** How the value, and the one before it, is said. @default - as it is written */
  readonly show?: (value: unknown) => string;
}

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const fieldsAt = (value: unknown, key: string): Fields => {
  const inner = isFields(value) ? value[key] : undefined;
  return isFields(inner) ? inner : {};
};

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const targetsIn = (backup: unknown): Fields[] => {
  const targets = isFields(backup) ? backup.targets : undefined;
  return Array.isArray(targets) ? targets.filter(isFields) : [];
};

/** Where backups go, without the keys to it. */
const namesOfTargets = (targets: readonly Fields[]): string =>
  targets.map(({ name, kind }) => `${shown(name)} (${shown(kind)})`).join(", ");

/** Base backups on a volume of the engine's own, where it has none: what goes to a store stays. */
function backupVolumeChanges(backup: unknown, archiveVolume: Ability): Change[] {
  if (archiveVolume === true || !isFields(backup)) return [];
  if (targetsIn(backup).length === 0)
    return [
      { path: "backup", value: undefined, because: `${archiveVolume.because}, and no target is given` },
    ];
  return "volume" in backup
    ? [{ path: "backup.volume", value: undefined, because: archiveVolume.because }]
    : [];
}

/** The settings that an engine needs otherwise than a file for several instances has them. */
function engineChanges(config: Fields, engine: EngineName | undefined): Change[] {
  if (engine === undefined) return [];
  const cluster = fieldsAt(config, "pgplatform:cluster");
  const { standbys, archiveVolume } = planners[engine].can;
  return [
    { path: "cluster.engine", value: engine, because: "ENGINE" },
    ...(archiveVolume === true || !("archiveSize" in fieldsAt(cluster, "storage"))
      ? []
      : [{ path: "cluster.storage.archiveSize", value: undefined, because: archiveVolume.because }]),
    ...backupVolumeChanges(config["pgplatform:backup"], archiveVolume),
    ...(standbys === true
      ? []
      : [
          { path: "cluster.instances", value: 1, because: standbys.because },
          { path: "cluster.durability", value: "async", because: "no standby could confirm a commit" },
          ...("synchronousStandbys" in cluster
            ? [{ path: "cluster.synchronousStandbys", value: undefined }]
            : []),
        ]),
  ];
}

const GiB = 2 ** 30;
/** Largest volume on the built-in cluster: all of them lie on the machine's disk, and nothing holds them to their size. */
const LARGEST_GIB = 5;
/** Largest part of a node that an instance may ask for there; poolers, operator and clients have the rest. */
const NODE_PART = 0.5;

/** Sizes of volumes, by their settings. */
const sizes = (storage: Fields): [string, string][] =>
  Object.entries(storage).flatMap(([key, value]): [string, string][] =>
    /^size$|Size$/.test(key) && typeof value === "string" ? [[key, value]] : [],
  );

function resourceChanges(resources: Fields, { milliCpus, memoryMiB }: Share): Change[] {
  const because = `a node here has ${milliCpus}m and ${memoryMiB}Mi`;
  const cpus = Math.floor((milliCpus * NODE_PART) / 50) * 50;
  const memory = Math.floor((memoryMiB * NODE_PART) / 256) * 256;
  const tooLarge = (part: "requests" | "limits", key: "cpu" | "memory", fits: (text: string) => boolean) => {
    const value = fieldsAt(resources, part)[key];
    return value !== undefined && !fits(shown(value));
  };
  const fitsMemory = (text: string) => (bytesOf(text) ?? 0) <= memory * 2 ** 20;
  const fitsCpus = (text: string) => (milliCoresOf(text) ?? 0) <= cpus;
  const at = "cluster.resources";
  return [
    // A CPU limit may be larger than the node: idle cores may be used.
    ...(tooLarge("requests", "cpu", fitsCpus)
      ? [{ path: `${at}.requests.cpu`, value: `${cpus}m`, because }]
      : []),
    ...(["requests", "limits"] as const)
      .filter((part) => tooLarge(part, "memory", fitsMemory))
      .map((part) => ({ path: `${at}.${part}.memory`, value: `${memory}Mi`, because })),
  ];
}

/** Targets on a cluster that reaches no bucket: stores beside it, under the same names. */
function targetChanges(backup: unknown): Change[] {
  const targets = targetsIn(backup);
  if (targets.every(({ kind }) => kind === "local")) return [];
  return [
    {
      path: "backup.targets",
      value: targets.map(({ name }) => ({ name, kind: "local", size: `${LARGEST_GIB}Gi` })),
      because: "what is made here is no business of the buckets'",
      show: (value) => namesOfTargets(targetsIn({ targets: value })),
    },
  ];
}

/** A key where the file gives none. */
const standIn = { accessKeyId: "stand-in", secretAccessKey: { secure: "stand-in" } };

/** What the file of a stack that is to be looked at alone lacks: its user's keys. */
const keyChanges = (backup: unknown): Change[] =>
  targetsIn(backup).flatMap(({ kind, credentials, roleArn }, index) =>
    keyGiven.some((one) => one === kind) && (credentials ?? roleArn) === undefined
      ? [
          {
            path: `backup.targets.${index}.credentials`,
            value: standIn,
            because: "a preview from nothing needs no key; `make up` does",
            show: () => "a stand-in",
          },
        ]
      : [],
  );

/** What a file for another platform needs otherwise on the built-in cluster. */
function builtInChanges(config: Fields, share: Share): Change[] {
  if (config["pgplatform:platform"] === "local") return [];
  const cluster = fieldsAt(config, "pgplatform:cluster");
  const storage = fieldsAt(cluster, "storage");
  const { storageClass } = platformDefaults.local;
  const changes: Change[] = [
    { path: "platform", value: "local", because: "the built-in cluster, with images built here" },
    { path: "tier", value: "dev", because: "what is made here may be destroyed again" },
    { path: "images", value: undefined, because: "images built here" },
    {
      path: "cluster.postgresVersion",
      value: pins.postgresMajor,
      because: "the version of the images built here",
    },
    { path: "cluster.storage.class", value: storageClass },
    ...sizes(storage)
      .filter(([, size]) => (bytesOf(size) ?? 0) > LARGEST_GIB * GiB)
      .map(([key]) => ({ path: `cluster.storage.${key}`, value: `${LARGEST_GIB}Gi` })),
    ...resourceChanges(fieldsAt(cluster, "resources"), share),
    ...targetChanges(config["pgplatform:backup"]),
  ];
  // A tier or images that the file doesn't name follow the platform by themselves.
  return changes.filter(({ path }) => !["tier", "images"].includes(path) || `pgplatform:${path}` in config);
}

/** Makes a change in a copy; returns what was there. */
function apply(config: Fields, { path, value }: Change): unknown {
  const [first = "", ...rest] = path.split(".");
  const keys = [`pgplatform:${first}`, ...rest];
  const last = keys.pop() ?? "";
  let at = config;
  for (const key of keys) {
    if (typeof at[key] !== "object" || at[key] === null) at[key] = {};
    at = at[key] as Fields;
  }
  const before = at[last];
  at[last] = value;
  return before;
}

const told = ({ path, value, because, show = shown }: Change, before: unknown): string =>
  [
    path.replace(/\.(\d+)/g, "[$1]"),
    value === undefined ? "left out" : show(value),
    ...(before === undefined ? [] : [`instead of ${show(before)}`]),
  ].join(" ") + (because === undefined ? "" : ` (${because})`);

const thisMachine = (): Share =>
  nodeShare(availableParallelism(), Math.floor(totalmem() / 2 ** 20), nodes.length);

/**
 * Lays over a stack file what the command asks for (`ENGINE`) and, where the built-in cluster is used for a file that was written
 * for another platform, what that cluster has. The file stays as it is.
 */
export function layersOver(
  { config = {} }: StackFile,
  options: {
    readonly engine: EngineName | undefined;
    readonly builtIn: boolean;
    /** Whether the stack is only looked at, without its user's keys. @default false */
    readonly withoutKeys?: boolean;
    readonly share?: () => Share;
  },
): Layers {
  const changed = structuredClone(config);
  const lay = (changes: readonly Change[]) =>
    changes.map((change) => ({ change, before: apply(changed, change) }));
  const laid = lay(engineChanges(config, options.engine));
  if (options.builtIn) laid.push(...lay(builtInChanges(changed, (options.share ?? thisMachine)())));
  if (options.withoutKeys === true) laid.push(...lay(keyChanges(changed["pgplatform:backup"])));
  const changes = laid.map(({ change }) => change);
  const said = laid.flatMap(({ change, before }) => (before === change.value ? [] : [told(change, before)]));
  const keys = new Set(changes.map(({ path }) => `pgplatform:${path.split(".")[0]}`));
  return { overlay: Object.fromEntries([...keys].map((key) => [key, changed[key]])), said };
}
