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
import { durableWritesInvariant } from "./durableWrites";
import { failsafeInvariant } from "./failsafe";
import { keptDataInvariant } from "./keptData";
import { operatorRolloutInvariant } from "./operatorRollout";
import { passwordOwnerInvariant } from "./passwordOwner";
import { poolerLoginsInvariant } from "./poolerLogins";
import { protectedClusterInvariant } from "./protectedCluster";
import { unknownFieldsInvariant } from "./unknownFields";

/** A subject of docs/policies.md. */
interface Group {
  /** In tags. */
  readonly tag: string;
  readonly title: string;
  readonly invariants: readonly Invariant[];
}

export const groups: readonly Group[] = [
  {
    tag: "availability",
    title: "Availability",
    invariants: [
      instancesInvariant,
      oddQuorumInvariant,
      aloneAsynchronousInvariant,
      synchronousNumberInvariant,
      zeroLossInvariant,
      durableWritesInvariant,
      preferredQuorumInvariant,
      spreadInvariant,
      failsafeInvariant,
      disruptionBudgetInvariant,
      drainWarningInvariant,
      poolerAvailabilityInvariant,
      connectionBudgetInvariant,
      operatorRolloutInvariant,
    ],
  },
  {
    tag: "backups",
    title: "Backups and alerts",
    invariants: [
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
      keptDataInvariant,
      protectedClusterInvariant,
      storageClassInvariant,
      walVolumeInvariant,
      archiveTimeoutInvariant,
      alertsInvariant,
      weeklyVerificationInvariant,
    ],
  },
  {
    tag: "access",
    title: "Access and network",
    invariants: [
      credentialsInvariant,
      passwordOwnerInvariant,
      superuserAccessInvariant,
      encryptedLoginsInvariant,
      poolerLoginsInvariant,
      podSecurityInvariant,
      closedNetworkInvariant,
      loadBalancersInvariant,
    ],
  },
  {
    tag: "resources",
    title: "Resources, images and fields",
    invariants: [
      containerResourcesInvariant,
      guaranteedMemoryInvariant,
      sharedBuffersInvariant,
      imageDigestsInvariant,
      supportedImagesInvariant,
      unknownFieldsInvariant,
    ],
  },
];

/** Every invariant, in the order of docs/policies.md. */
export const invariants: readonly Invariant[] = groups.flatMap((group) => group.invariants);

export const groupOf = (invariant: Invariant): string =>
  groups.find((group) => group.invariants.includes(invariant))?.tag ?? "";

/** Options with their defaults filled in. */
export const valuesOf = ({ options = {} }: Invariant, given: object = {}): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default])),
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
});
