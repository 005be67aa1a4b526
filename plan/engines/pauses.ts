import type { Settings } from "../../settings/schema";

/** How long writes pause, and how that is known. */
export interface Pause {
  /** Most seconds. @default - it isn't known, or has no end of its own: see `basis` */
  readonly seconds?: number;
  /**
   * none: clients don't notice. measured: the longest that was seen, or the bound that the faults' runs are held to. derived: a sum of settings. unknown: it was
   * never measured. hand: it lasts until one acts, or what failed is back.
   */
  readonly basis: "none" | "measured" | "derived" | "unknown" | "hand";
  /** Where that comes from, and what it depends on. */
  readonly note: string;
}

/** How long writes pause with an engine; docs/failover.md and docs/changes.md have the runs. */
export interface Pauses {
  /** The primary's process ends, or its pod. */
  readonly pod: Pause;
  /** The primary's node is gone, or cut off. */
  readonly node: Pause;
  /** The operator is gone. @default - the engine has none */
  readonly operator?: Pause;
  /** The primary's node is drained. */
  readonly drain: Pause;
  /** A rolling restart for another image, resources or parameters. */
  readonly restart: Pause;
  /** Every pod of a pooler is gone at once. */
  readonly poolers: Pause;
}

/** What of the settings it depends on. */
export type Timed = Pick<Settings, "platform"> & {
  readonly cluster: Pick<Settings["cluster"], "instances" | "failover" | "drains">;
};

export const measured = (seconds: number, note: string): Pause => ({ seconds, basis: "measured", note });
export const derived = (seconds: number, note: string): Pause => ({ seconds, basis: "derived", note });
export const unknown = (note: string): Pause => ({ basis: "unknown", note });
export const byHand = (note: string): Pause => ({ basis: "hand", note });
export const none = (note: string): Pause => ({ seconds: 0, basis: "none", note });

/** A single instance: nothing takes over, whatever runs it. */
export const nodeOfTheOnlyInstance = byHand(
  "no other instance takes over: the database is down until the node is back, or the volume is attached elsewhere",
);

/** By `cluster.drains`; the database is down while the only instance moves. */
export const drainOfTheOnlyInstance = ({ cluster: { drains } }: Timed): Pause =>
  drains === "wait"
    ? none("the drain waits until cluster.drains is allow")
    : byHand(
        "the database is down until its pod runs on another node, which a volume on that node keeps it from",
      );

/** The only instance with an operator, which makes its pod again. */
export const ofTheOnlyInstance = (settings: Timed): Pick<Pauses, "pod" | "node" | "drain" | "restart"> => ({
  pod: unknown("the pod is made again on its volume; never measured with a single instance"),
  node: nodeOfTheOnlyInstance,
  drain: drainOfTheOnlyInstance(settings),
  restart: unknown("the only instance restarts; never measured"),
});
