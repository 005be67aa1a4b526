import { aloneAsynchronousInvariant } from "./aloneAsynchronous";
import { archiveTimeoutInvariant } from "./archiveTimeout";
import { closedNetworkInvariant } from "./closedNetwork";
import { connectionBudgetInvariant } from "./connectionBudget";
import { containerResourcesInvariant } from "./containerResources";
import { credentialsInvariant } from "./credentials";
import { disruptionBudgetInvariant } from "./disruptionBudget";
import { drainWarningInvariant } from "./drainWarning";
import { encryptedLoginsInvariant } from "./encryptedLogins";
import { guaranteedMemoryInvariant } from "./guaranteedMemory";
import { imageDigestsInvariant } from "./imageDigests";
import { instancesInvariant } from "./instances";
import type { Invariant } from "./invariant";
import { loadBalancersInvariant } from "./loadBalancers";
import { oddQuorumInvariant } from "./oddQuorum";
import { poolerAvailabilityInvariant } from "./poolerAvailability";
import { preferredQuorumInvariant } from "./preferredQuorum";
import { sharedBuffersInvariant } from "./sharedBuffers";
import { spreadInvariant } from "./spread";
import { superuserAccessInvariant } from "./superuserAccess";
import { supportedImagesInvariant } from "./supportedImages";
import { synchronousNumberInvariant } from "./synchronousNumber";
import { zeroLossInvariant } from "./zeroLoss";

/** Every invariant, in the order of docs/policies.md. */
export const invariants: readonly Invariant[] = [
  instancesInvariant,
  oddQuorumInvariant,
  aloneAsynchronousInvariant,
  synchronousNumberInvariant,
  zeroLossInvariant,
  preferredQuorumInvariant,
  spreadInvariant,
  disruptionBudgetInvariant,
  drainWarningInvariant,
  poolerAvailabilityInvariant,
  connectionBudgetInvariant,
  credentialsInvariant,
  archiveTimeoutInvariant,
  superuserAccessInvariant,
  encryptedLoginsInvariant,
  closedNetworkInvariant,
  loadBalancersInvariant,
  containerResourcesInvariant,
  guaranteedMemoryInvariant,
  sharedBuffersInvariant,
  imageDigestsInvariant,
  supportedImagesInvariant,
];

/** Options with their defaults filled in. */
export const valuesOf = ({ options = {} }: Invariant, given: object = {}): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default])),
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
});
