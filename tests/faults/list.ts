import { type EngineTraits } from "../../plan/engines/planner";
import { type Settings } from "../../settings/schema";
import { kits } from "../e2e/kit/engines";
import { type Fault } from "./fault";
import { instanceFaults } from "./instances";
import { nodeFaults } from "./nodes";
import { operatorFaults } from "./operator";
import { partitionFaults } from "./partitions";
import { poolerFaults } from "./poolers";
import { updateFaults } from "./updates";

const rank = ({ id }: Fault): number => parseInt(id, 10);

/** All faults, in the order of their numbers. */
export const faults: readonly Fault[] = [
  ...instanceFaults,
  ...partitionFaults,
  ...operatorFaults,
  ...poolerFaults,
  ...nodeFaults,
  ...updateFaults,
].sort((one, other) => rank(one) - rank(other) || one.id.localeCompare(other.id));

/** What can happen to a stack of this engine, with its bounds; and what can't, and why. */
export function possibleFaults(
  chosen: readonly Fault[],
  engine: Pick<EngineTraits, "name" | "can">,
  failover: Settings["cluster"]["failover"],
): { possible: Fault[]; excluded: { fault: Fault; because: string }[] } {
  const lacking = ({ needs = [] }: Fault) =>
    needs.flatMap((ability) => {
      const can = engine.can[ability];
      return can === true ? [] : [can.because];
    })[0];
  const bounds = kits[engine.name].bounds?.(failover) ?? {};
  return {
    possible: chosen
      .filter((fault) => lacking(fault) === undefined)
      .map((fault) => ({ ...fault, bounds: bounds[fault.id] ?? fault.bounds })),
    excluded: chosen.flatMap((fault) => {
      const because = lacking(fault);
      return because === undefined ? [] : [{ fault, because }];
    }),
  };
}

/** The faults with these numbers, in this order; all without any. */
export function faultsOf(ids: readonly string[]): Fault[] {
  if (ids.length === 0) return [...faults];
  return ids.map((id) => {
    const found = faults.find((fault) => fault.id === id);
    if (found === undefined) {
      throw new Error(`There is no fault ${id}; there are ${faults.map((fault) => fault.id).join(", ")}.`);
    }
    return found;
  });
}
