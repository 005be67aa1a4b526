import { aloneAsynchronousInvariant } from "./aloneAsynchronous";
import { alertsInvariant } from "./alerts";
import { archiveTimeoutInvariant } from "./archiveTimeout";
import { baseBackupsInvariant } from "./baseBackups";
import { baseBackupScheduleInvariant } from "./baseBackupSchedule";
import { bucketLocksInvariant } from "./bucketLocks";
import { closedNetworkInvariant } from "./closedNetwork";
import { connectionBudgetInvariant } from "./connectionBudget";
import { containerResourcesInvariant } from "./containerResources";
import { credentialsInvariant } from "./credentials";
import { currentArchiverInvariant } from "./currentArchiver";
import { dailyBaseBackupsInvariant } from "./dailyBaseBackups";
import { disruptionBudgetInvariant } from "./disruptionBudget";
import { drainWarningInvariant } from "./drainWarning";
import { encryptedLoginsInvariant } from "./encryptedLogins";
import { explicitMethodInvariant } from "./explicitMethod";
import { guaranteedMemoryInvariant } from "./guaranteedMemory";
import { imageDigestsInvariant } from "./imageDigests";
import { instancesInvariant } from "./instances";
import type { Invariant } from "./invariant";
import { loadBalancersInvariant } from "./loadBalancers";
import { walArchivingInvariant } from "./walArchiving";
import { walVolumeInvariant } from "./walVolume";
import { oddQuorumInvariant } from "./oddQuorum";
import { oneArchiveInvariant } from "./oneArchive";
import { ownArchiveInvariant } from "./ownArchive";
import { plainChecksumsInvariant } from "./plainChecksums";
import { poolerAvailabilityInvariant } from "./poolerAvailability";
import { podSecurityInvariant } from "./podSecurity";
import { preferredQuorumInvariant } from "./preferredQuorum";
import { privateBucketsInvariant } from "./privateBuckets";
import { protectedBucketsInvariant } from "./protectedBuckets";
import { r2EncryptionInvariant } from "./r2Encryption";
import { sharedBuffersInvariant } from "./sharedBuffers";
import { spreadInvariant } from "./spread";
import { storageClassInvariant } from "./storageClass";
import { superuserAccessInvariant } from "./superuserAccess";
import { supportedImagesInvariant } from "./supportedImages";
import { synchronousNumberInvariant } from "./synchronousNumber";
import { twoTargetsInvariant } from "./twoTargets";
import { weeklyVerificationInvariant } from "./weeklyVerification";
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
  walArchivingInvariant,
  baseBackupsInvariant,
  dailyBaseBackupsInvariant,
  baseBackupScheduleInvariant,
  twoTargetsInvariant,
  oneArchiveInvariant,
  ownArchiveInvariant,
  currentArchiverInvariant,
  explicitMethodInvariant,
  plainChecksumsInvariant,
  r2EncryptionInvariant,
  privateBucketsInvariant,
  protectedBucketsInvariant,
  bucketLocksInvariant,
  credentialsInvariant,
  storageClassInvariant,
  walVolumeInvariant,
  archiveTimeoutInvariant,
  superuserAccessInvariant,
  encryptedLoginsInvariant,
  podSecurityInvariant,
  closedNetworkInvariant,
  loadBalancersInvariant,
  containerResourcesInvariant,
  guaranteedMemoryInvariant,
  sharedBuffersInvariant,
  imageDigestsInvariant,
  supportedImagesInvariant,
  alertsInvariant,
  weeklyVerificationInvariant,
];

/** Options with their defaults filled in. */
export const valuesOf = ({ options = {} }: Invariant, given: object = {}): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default])),
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
});
