import type { Settings } from "../schema";

type Replication = Pick<Settings["cluster"], "instances" | "durability" | "synchronousStandbys">;

/** What is left of a cluster that has lost instances all at once, by the worst choice of which. */
export interface Survival {
  /** Whether a standby takes over without a hand: with zero-loss only where it surely holds every acknowledged commit. */
  readonly failover: boolean;
  /** Whether writes continue after that, before a lost instance is back. */
  readonly writes: boolean;
  /** Whether an instance that is left holds every acknowledged commit. */
  readonly commits: boolean;
}

/**
 * What is left when `lost` instances, the primary among them, are gone at once and all were up before.
 *
 * An acknowledged commit is on the primary and on `synchronousStandbys` others, it isn't known which. So one of those left holds
 * it as long as no more than that number is lost, and a standby may take over only as long: the same sum as the operator's
 * quorum, by which those that answer and those that must confirm are together more than all standbys.
 */
export function afterLoss(
  { instances, durability, synchronousStandbys }: Replication,
  lost: number,
): Survival {
  const left = instances - lost;
  if (lost === 0) return { failover: true, writes: true, commits: true };
  if (left < 1) return { failover: false, writes: false, commits: false };
  if (durability === "async") return { failover: true, writes: true, commits: false };
  const commits = lost <= synchronousStandbys;
  if (durability === "balanced") return { failover: true, writes: true, commits };
  return { failover: commits, writes: commits && left - 1 >= synchronousStandbys, commits };
}

/**
 * How many nodes may be drained at once while writes continue: the primary leaves by a switchover first, so that only the standbys
 * that must confirm count. Zero means that a drain stops writes.
 */
export const drainableNodes = ({ instances, durability, synchronousStandbys }: Replication): number =>
  Math.max(0, instances - 1 - (durability === "zero-loss" ? synchronousStandbys : 0));

/** What is left when the zone with the most instances is lost, if they are spread evenly over so many zones. */
export const afterZoneLoss = (replication: Replication, zones: number): Survival =>
  afterLoss(replication, Math.ceil(replication.instances / zones));
