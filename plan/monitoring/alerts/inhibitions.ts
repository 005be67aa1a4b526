/** One cause pages once: while the first alert fires, Alertmanager sends nothing of the others of the same cluster. */
export interface Inhibition {
  readonly source: string;
  readonly targets: readonly string[];
  /** Labels that are the same on both, beside namespace and cluster. */
  readonly equal?: readonly string[];
  readonly because: string;
}

export const inhibitions: readonly Inhibition[] = [
  {
    source: "PostgreSQLDown",
    targets: [
      "NodeNotReady",
      "InstancesMissing",
      "ExporterDown",
      "MetricsAbsent",
      "NoSynchronousStandby",
      "StandbyNotStreaming",
      "ReplicationLag",
      "PoolerLoginFailing",
      "PoolerClientsWaiting",
      "PoolerSaturated",
      "RecoveryPointMissed",
      "InstanceRestarting",
    ],
    because: "without a primary nothing else works",
  },
  {
    source: "NodeNotReady",
    targets: [
      "InstancesMissing",
      "ExporterDown",
      "NoSynchronousStandby",
      "StandbyNotStreaming",
      "SlotInactive",
      "PoolerPodsMissing",
      "FailoverHappened",
      "OperatorDown",
      "MetricsAbsent",
      "KubernetesMetricsAbsent",
    ],
    because: "a dead node takes an instance, a pooler and perhaps the operator along",
  },
  {
    source: "PoolerDown",
    targets: ["PoolerPodsMissing", "PoolerClientsWaiting", "PoolerSaturated", "PoolerLoginFailing"],
    equal: ["pooler"],
    because: "no pod of it answers",
  },
  {
    source: "PoolerLoginFailing",
    targets: ["PoolerClientsWaiting"],
    equal: ["pooler"],
    because: "they wait for the login",
  },
  {
    source: "TooManyConnections",
    targets: ["HighConnections"],
    equal: ["instance"],
    because: "it is the same, and worse",
  },
  {
    source: "TargetDown",
    targets: ["SecondTargetBehind", "BackupOld"],
    equal: ["target"],
    because: "nothing gets there",
  },
  {
    source: "NeverBackedUp",
    targets: ["NeverVerified"],
    equal: ["target"],
    because: "there is nothing to verify",
  },
  {
    source: "VerificationFailed",
    targets: ["VerificationOld", "NeverVerified", "DumpOld"],
    equal: ["target"],
    because: "the last try says why",
  },
  {
    source: "VerificationOld",
    targets: ["DumpOld"],
    equal: ["target"],
    because: "a dump is made by a verification",
  },
  {
    source: "RecoveryPointMissed",
    targets: ["WALArchivingFailed", "ArchiveBacklog"],
    because: "they are its causes, and by day",
  },
  {
    source: "TxidExhaustionRisk",
    targets: ["TransactionAgeHigh"],
    equal: ["database"],
    because: "it is the same, and worse",
  },
  {
    source: "MultixactExhaustionRisk",
    targets: ["TransactionAgeHigh"],
    equal: ["database"],
    because: "it is the same, and worse",
  },
  {
    source: "DataVolumeFullSoon",
    targets: ["DataVolumeFilling", "VolumeNearlyFull"],
    equal: ["persistentvolumeclaim"],
    because: "it is the same, and worse",
  },
  {
    source: "WALVolumeFullSoon",
    targets: ["WALVolumeFilling", "VolumeNearlyFull"],
    equal: ["persistentvolumeclaim"],
    because: "it is the same, and worse",
  },
  {
    source: "CertificateEndsSoon",
    targets: ["CertificateEnds"],
    equal: ["certificate"],
    because: "it is the same, and worse",
  },
  {
    source: "LongTransaction",
    targets: ["SlowQueries"],
    equal: ["instance", "database"],
    because: "a statement is a part of its transaction",
  },
];

/** An entry of Alertmanager's `inhibit_rules`. */
export interface InhibitRule {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal: readonly string[];
}

export const inhibitRules = (): InhibitRule[] =>
  inhibitions.map(({ source, targets, equal = [] }) => ({
    source_matchers: [`alertname="${source}"`],
    target_matchers: [`alertname=~"${targets.join("|")}"`],
    equal: ["namespace", "cluster", ...equal],
  }));
