import { type Capability } from "../../plan/engines/planner";
import { type Arms } from "../e2e/kit/observation";
import { type WriterLog } from "../e2e/kit/oracle";
import { type Look } from "../e2e/kit/wait";
import { type Scene } from "./scene";

/** Limits of a fault, in seconds. What has none is reported and not judged. */
export interface Bounds {
  /** Longest pause of the client that connects directly, and of the one behind the pooler. */
  gap?: Partial<Arms<number>>;
  /** Through the pooler: how much longer the pause may be than that of the direct client in the same run. */
  pooledLater?: { median: number; max: number };
  /** From the end of a lasting fault to the next acknowledgement. */
  resumed?: number;
  /** From the fault to all instances, poolers and nodes whole again. */
  whole?: number;
  /** Nothing may be acknowledged while the fault lasts: the database refuses rather than promises what it can't keep. */
  blocks?: boolean;
  /** No session with a standby is handed out later than 5 s after writes are possible again. */
  noReadOnlyErrors?: boolean;
}

/** One thing that goes wrong. Everything is done from outside the database, except signals to its processes. */
export interface Fault {
  /** Its number in the list of faults; variants have a letter. */
  readonly id: string;
  readonly name: string;
  /** Needs power switches, cables or the nodes' processes: the built-in cluster. @default false */
  readonly builtIn?: boolean;
  /** Abilities of the engine without which it can't happen, or means nothing. @default - none */
  readonly needs?: readonly Capability[];
  readonly bounds: Bounds;
  /** The client pods lose their nodes too: the writers are revived, no sampler watches for two primaries. @default false */
  readonly takesClients?: boolean;
  /** Nodes that the fault stops: the clients must not be there. @default - none */
  nodes?(scene: Scene): readonly string[];
  /** Before the writers start; what takes time and isn't the fault. */
  prepare?(scene: Scene): Promise<void>;
  /** While the writers write, before the mark. */
  arm?(scene: Scene): Promise<void>;
  inject(scene: Scene): Promise<void>;
  /** The fault's own effect; a run without it counts for nothing. */
  effect(scene: Scene): Promise<Look<string>>;
  /** Keeps a lasting fault up, and throws when the product does what it must not. */
  hold?(scene: Scene): Promise<void>;
  /** Takes the fault back. Also called after a failure, at whatever moment: it must bear that. */
  heal?(scene: Scene): Promise<void>;
  /** After the figures are taken: leaves the cluster as the next fault expects to find it. */
  after?(scene: Scene): Promise<void>;
  /** Further figures of this fault, in seconds. */
  figures?(scene: Scene, logs: Arms<WriterLog>): Record<string, number>;
}
