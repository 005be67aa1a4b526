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
