import assert from "node:assert/strict";
import { violationsOf, good, mutated } from "./kit";

/** Changes of the good cluster, and the sentences that must come of them: none for what is allowed. */
interface Case {
  readonly title: string;
  readonly change: Record<string, unknown>;
  readonly options?: object;
  readonly says: readonly string[];
}

const synchronous = "spec.postgresql.synchronous";
const parameter = (name: string) => `spec.postgresql.parameters.${name}`;

const cases: Record<string, readonly Case[]> = {
  "enough-instances": [
    {
      title: "two instances",
      change: { "spec.instances": 2 },
      says: ["Cluster shop/orders: instances: 2 is not allowed. Allowed: at least 3. Fix: set 3."],
    },
    {
      title: "two where the option says two",
      change: { "spec.instances": 2 },
      options: { least: 2 },
      says: [],
    },
    { title: "five", change: { "spec.instances": 5 }, says: [] },
    {
      title: "no number, which is one",
      change: { "spec.instances": undefined },
      says: ["Cluster shop/orders: instances: 1 is not allowed. Allowed: at least 3. Fix: set 3."],
    },
  ],
  "odd-quorum": [
    {
      title: "four instances with quorum failover",
      change: { "spec.instances": 4 },
      says: [
        "Cluster shop/orders: instances: 4 is not allowed. Allowed: an odd number with zero-loss, since one more instance adds nothing to an even quorum. Fix: set 3 or 5.",
      ],
    },
    {
      title: "quorum failover by annotation",
      change: {
        "spec.instances": 4,
        [`${synchronous}.failoverQuorum`]: undefined,
        "metadata.annotations": { "alpha.cnpg.io/failoverQuorum": "true" },
      },
      says: [
        "Cluster shop/orders: instances: 4 is not allowed. Allowed: an odd number with zero-loss, since one more instance adds nothing to an even quorum. Fix: set 3 or 5.",
      ],
    },
    {
      title: "quorum failover by annotation, as a word of Go's",
      change: {
        "spec.instances": 4,
        [`${synchronous}.failoverQuorum`]: undefined,
        "metadata.annotations": { "alpha.cnpg.io/failoverQuorum": "T" },
      },
      says: [
        "Cluster shop/orders: instances: 4 is not allowed. Allowed: an odd number with zero-loss, since one more instance adds nothing to an even quorum. Fix: set 3 or 5.",
      ],
    },
    { title: "two, of which another invariant speaks", change: { "spec.instances": 2 }, says: [] },
    {
      title: "four without quorum failover",
      change: { "spec.instances": 4, [`${synchronous}.failoverQuorum`]: false },
      says: [],
    },
  ],
  "no-synchronous-single-instance": [
    {
      title: "one instance that waits for a standby",
      change: { "spec.instances": 1 },
      says: [
        "Cluster shop/orders: synchronous standbys: 1 is not allowed. Allowed: none with one instance, since no standby could confirm a commit. Fix: replicate asynchronously, or have three instances.",
      ],
    },
    {
      title: "one instance that waits for no standby",
      change: { "spec.instances": 1, [synchronous]: undefined },
      says: [],
    },
  ],
  "synchronous-number": [
    {
      title: "both standbys of three instances",
      change: { [`${synchronous}.number`]: 2 },
      says: [
        "Cluster shop/orders: synchronous standbys: 2 is not allowed. Allowed: at most 1 with 3 instances, so that one standby may be down. Fix: set 1, or more instances.",
      ],
    },
    {
      title: "the only standby of two",
      change: { "spec.instances": 2 },
      says: [
        "Cluster shop/orders: synchronous standbys: 1 is not allowed. Allowed: at most 0 with 2 instances, so that one standby may be down. Fix: have three instances, or let writes continue without a standby.",
      ],
    },
    {
      title: "both standbys where writes continue without",
      change: { [`${synchronous}.number`]: 2, [`${synchronous}.dataDurability`]: "preferred" },
      says: [],
    },
    {
      title: "a single instance, which the engine lets write alone",
      change: { "spec.instances": 1 },
      says: [],
    },
    { title: "three of five", change: { "spec.instances": 5, [`${synchronous}.number`]: 3 }, says: [] },
  ],
  "zero-loss-claim": [
    ...["Zero-Loss", "zeroloss", "zero_loss", ""].map((claim) => ({
      title: `a claim by another word, ${JSON.stringify(claim)}`,
      change: { "metadata.annotations": { "pgplatform.io/durability": claim } },
      says: [
        `Cluster shop/orders: pgplatform.io/durability: ${JSON.stringify(claim)} is not allowed. Allowed: zero-loss, balanced, async. Fix: correct it: with another word it claims nothing.`,
      ],
    })),
    ...["balanced", "async"].map((claim) => ({
      title: `no claim, in a word that the setting has: ${claim}`,
      change: { "metadata.annotations": { "pgplatform.io/durability": claim }, [synchronous]: undefined },
      says: [],
    })),
    {
      title: "a claim with preferred replication",
      change: { [`${synchronous}.dataDurability`]: "preferred" },
      says: [
        'Cluster shop/orders: synchronous replication: "preferred" is not allowed. Allowed: required, with at least one standby, where no acknowledged commit may be lost. Fix: make it required, or don\'t claim zero loss.',
      ],
    },
    {
      title: "a claim with asynchronous replication",
      change: { [synchronous]: undefined },
      says: [
        'Cluster shop/orders: synchronous replication: "none" is not allowed. Allowed: required, with at least one standby, where no acknowledged commit may be lost. Fix: make it required, or don\'t claim zero loss.',
        "Cluster shop/orders: quorum failover: false is not allowed. Allowed: on where no acknowledged commit may be lost, since a standby without the commit could be elected. Fix: switch it on, or don't claim zero loss.",
      ],
    },
    {
      title: "a claim with none of the standbys",
      change: { [`${synchronous}.number`]: 0 },
      says: [
        'Cluster shop/orders: synchronous replication: "none" is not allowed. Allowed: required, with at least one standby, where no acknowledged commit may be lost. Fix: make it required, or don\'t claim zero loss.',
      ],
    },
    {
      title: "a claim without quorum failover",
      change: { [`${synchronous}.failoverQuorum`]: false },
      says: [
        "Cluster shop/orders: quorum failover: false is not allowed. Allowed: on where no acknowledged commit may be lost, since a standby without the commit could be elected. Fix: switch it on, or don't claim zero loss.",
      ],
    },
    {
      title: "no claim",
      change: { [synchronous]: undefined, "metadata.annotations": undefined },
      says: [],
    },
    {
      title: "no claim where every cluster is held to it",
      change: { [`${synchronous}.failoverQuorum`]: false, "metadata.annotations": undefined },
      options: { everyCluster: true },
      says: [
        "Cluster shop/orders: quorum failover: false is not allowed. Allowed: on where no acknowledged commit may be lost, since a standby without the commit could be elected. Fix: switch it on, or don't claim zero loss.",
      ],
    },
  ],
  "no-preferred-quorum": [
    {
      title: "two instances, preferred, quorum",
      change: { "spec.instances": 2, [`${synchronous}.dataDurability`]: "preferred" },
      says: [
        "Cluster shop/orders: quorum failover: true is not allowed. Allowed: off with two instances whose writes continue without a standby, since the standby could be elected without acknowledged commits. Fix: switch it off, or have three instances and required synchronous replication.",
      ],
    },
    {
      title: "two instances, preferred, no quorum",
      change: {
        "spec.instances": 2,
        [`${synchronous}.dataDurability`]: "preferred",
        [`${synchronous}.failoverQuorum`]: false,
      },
      says: [],
    },
    { title: "two instances, required, quorum", change: { "spec.instances": 2 }, says: [] },
    {
      title: "three instances, preferred, quorum",
      change: { [`${synchronous}.dataDurability`]: "preferred" },
      says: [],
    },
  ],
  "instances-apart": [
    {
      title: "anti-affinity as a preference, which is the operator's default",
      change: { "spec.affinity": undefined },
      says: [
        'Cluster shop/orders: anti-affinity on kubernetes.io/hostname: "not required" is not allowed. Allowed: required, so that a lost node takes one instance. Fix: require it.',
      ],
    },
    {
      title: "the same with two instances",
      change: { "spec.instances": 2, "spec.affinity.podAntiAffinityType": "preferred" },
      says: [
        'Cluster shop/orders: anti-affinity on kubernetes.io/hostname: "not required" is not allowed. Allowed: required, so that a lost node takes one instance. Fix: require it.',
      ],
    },
    {
      title: "anti-affinity on another key",
      change: { "spec.affinity.topologyKey": "rack" },
      says: [
        'Cluster shop/orders: anti-affinity on kubernetes.io/hostname: "not required" is not allowed. Allowed: required, so that a lost node takes one instance. Fix: require it.',
      ],
    },
    {
      title: "no spread over zones",
      change: { "spec.topologySpreadConstraints": undefined },
      says: [
        'Cluster shop/orders: spread over topology.kubernetes.io/zone: "none" is not allowed. Allowed: a topology spread constraint with 2 zones that selects the instances, so that a lost zone leaves a majority. Fix: add one, or set the option zones to 1 where the cluster has one zone.',
      ],
    },
    {
      title: "no spread over the only zone",
      change: { "spec.topologySpreadConstraints": undefined },
      options: { zones: 1 },
      says: [],
    },
    { title: "one instance", change: { "spec.instances": 1, "spec.affinity": undefined }, says: [] },
    {
      title: "anti-affinity on zones, which keeps nodes apart too",
      change: {
        "spec.affinity.topologyKey": "topology.kubernetes.io/zone",
        "spec.topologySpreadConstraints": undefined,
      },
      says: [],
    },
    {
      title: "anti-affinity on zones as a preference",
      change: {
        "spec.affinity": { podAntiAffinityType: "preferred", topologyKey: "topology.kubernetes.io/zone" },
      },
      says: [
        'Cluster shop/orders: anti-affinity on kubernetes.io/hostname: "not required" is not allowed. Allowed: required, so that a lost node takes one instance. Fix: require it.',
      ],
    },
    ...[
      { matchLabels: { "cnpg.io/cluster": "orders" } },
      {
        matchExpressions: [{ key: "cnpg.io/podRole", operator: "In", values: ["instance"] }],
        matchLabels: { "app.kubernetes.io/instance": "orders" },
      },
      { matchLabels: { team: "shop" } },
    ].map((labelSelector) => ({
      title: `terms beside the operator's own, and a constraint, about ${JSON.stringify(labelSelector)}`,
      change: {
        "spec.inheritedMetadata": { labels: { team: "shop" } },
        "spec.affinity": {
          enablePodAntiAffinity: false,
          additionalPodAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: "kubernetes.io/hostname", labelSelector },
            ],
          },
        },
        "spec.topologySpreadConstraints": [{ topologyKey: "topology.kubernetes.io/zone", labelSelector }],
      },
      says: [],
    })),
    ...[undefined, { matchLabels: { app: "web" } }, "cnpg.io/cluster=orders"].map((labelSelector) => ({
      title: `the same about ${JSON.stringify(labelSelector)}, which is about no instance`,
      change: {
        "spec.affinity": {
          additionalPodAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: "kubernetes.io/hostname", labelSelector },
            ],
          },
        },
        "spec.topologySpreadConstraints": [{ topologyKey: "topology.kubernetes.io/zone", labelSelector }],
      },
      says: [
        'Cluster shop/orders: anti-affinity on kubernetes.io/hostname: "not required" is not allowed. Allowed: required, so that a lost node takes one instance. Fix: require it.',
        'Cluster shop/orders: spread over topology.kubernetes.io/zone: "none" is not allowed. Allowed: a topology spread constraint with 2 zones that selects the instances, so that a lost zone leaves a majority. Fix: add one, or set the option zones to 1 where the cluster has one zone.',
      ],
    })),
  ],
  "disruption-budget": [
    {
      title: "switched off",
      change: { "spec.enablePDB": false },
      says: [
        "Cluster shop/orders: disruption budget: false is not allowed. Allowed: on with 3 instances, so that a drain takes one at a time. Fix: switch it on.",
      ],
    },
    {
      title: "switched off with two instances",
      change: { "spec.enablePDB": false, "spec.instances": 2 },
      says: [
        "Cluster shop/orders: disruption budget: false is not allowed. Allowed: on with 2 instances, so that a drain takes one at a time. Fix: switch it on.",
      ],
    },
    { title: "off for one instance", change: { "spec.enablePDB": false, "spec.instances": 1 }, says: [] },
    { title: "switched on", change: { "spec.enablePDB": true }, says: [] },
  ],
  "single-instance-drain": [
    {
      title: "one instance with a budget",
      change: { "spec.instances": 1 },
      says: [
        "Cluster shop/orders: instances: 1 is not allowed. Allowed: 2 or more where nodes are drained: a drain waits for ever for the single instance's budget. Fix: add a standby, or plan the downtime.",
      ],
    },
    {
      title: "one instance without",
      change: { "spec.instances": 1, "spec.enablePDB": false },
      says: [
        "Cluster shop/orders: instances: 1 is not allowed. Allowed: 2 or more where nodes are drained: a drain stops the database until its pod runs elsewhere. Fix: add a standby, or plan the downtime.",
      ],
    },
    { title: "two", change: { "spec.instances": 2 }, says: [] },
  ],
  "archive-timeout": [
    {
      title: "ten minutes",
      change: { [parameter("archive_timeout")]: "10min" },
      says: [
        'Cluster shop/orders: archive_timeout: "600s" is not allowed. Allowed: at most 300s, the recovery point objective of 5 minutes. Fix: set 300s or less.',
      ],
    },
    {
      title: "never",
      change: { [parameter("archive_timeout")]: "0" },
      says: [
        'Cluster shop/orders: archive_timeout: "never" is not allowed. Allowed: at most 300s, the recovery point objective of 5 minutes. Fix: set 300s or less.',
      ],
    },
    {
      title: "the operator's five minutes against two",
      change: { [parameter("archive_timeout")]: undefined },
      options: { rpoMinutes: 2 },
      says: [
        'Cluster shop/orders: archive_timeout: "300s" is not allowed. Allowed: at most 120s, the recovery point objective of 2 minutes. Fix: set 120s or less.',
      ],
    },
    { title: "exactly five minutes", change: { [parameter("archive_timeout")]: "300" }, says: [] },
  ],
  "no-superuser-access": [
    {
      title: "on",
      change: { "spec.enableSuperuserAccess": true },
      says: [
        "Cluster shop/orders: superuser access: true is not allowed. Allowed: off, since a role with CREATEDB and CREATEROLE does an administrator's work. Fix: switch it off and use the administrator's role.",
      ],
    },
    { title: "left out, which is off", change: { "spec.enableSuperuserAccess": undefined }, says: [] },
  ],
  "encrypted-logins": [
    ...["trust", "md5", "password", "ident"].map((method) => ({
      title: method,
      change: { "spec.postgresql.pg_hba": [`hostssl all all all ${method}`, "hostnossl all all all reject"] },
      says: [
        `Cluster shop/orders: pg_hba: "hostssl all all all ${method}" is not allowed. Allowed: rules with scram-sha-256, cert, peer, reject. Fix: use scram-sha-256.`,
      ],
    })),
    {
      title: "trust on the socket",
      change: { "spec.postgresql.pg_hba": ["local all all trust", "hostnossl all all all reject"] },
      says: [
        'Cluster shop/orders: pg_hba: "local all all trust" is not allowed. Allowed: rules with scram-sha-256, cert, peer, reject. Fix: use scram-sha-256.',
      ],
    },
    {
      title: "no rules: the operator's own takes logins without TLS",
      change: { "spec.postgresql.pg_hba": undefined },
      says: [
        'Cluster shop/orders: pg_hba: "host all all all scram-sha-256" is not allowed. Allowed: rules of the type hostssl before `hostnossl all all all reject`, since this one takes logins without TLS. Fix: write hostssl, and end with `hostnossl all all all reject`.',
      ],
    },
    {
      title: "a rejection of some only",
      change: {
        "spec.postgresql.pg_hba": [
          "hostssl all all all scram-sha-256",
          "hostnossl all all 10.0.0.0/8 reject",
        ],
      },
      says: [
        'Cluster shop/orders: pg_hba: "host all all all scram-sha-256" is not allowed. Allowed: rules of the type hostssl before `hostnossl all all all reject`, since this one takes logins without TLS. Fix: write hostssl, and end with `hostnossl all all all reject`.',
      ],
    },
    ...[
      "hostnossl orders all all reject",
      "hostnossl all app all reject",
      "hostgssenc all all all reject",
    ].map((rule) => ({
      title: `only ${rule}`,
      change: { "spec.postgresql.pg_hba": [rule] },
      says: [
        'Cluster shop/orders: pg_hba: "host all all all scram-sha-256" is not allowed. Allowed: rules of the type hostssl before `hostnossl all all all reject`, since this one takes logins without TLS. Fix: write hostssl, and end with `hostnossl all all all reject`.',
      ],
    })),
    {
      title: "an address with its mask beside it, certificates, and a rejection of every session",
      change: {
        "spec.postgresql.pg_hba": [
          "hostssl all all 192.0.2.0 255.255.255.0 cert",
          "local all all peer",
          "host all all all reject",
        ],
      },
      says: [],
    },
    {
      title: "old hashes",
      change: { [parameter("password_encryption")]: "md5" },
      says: [
        'Cluster shop/orders: password_encryption: "md5" is not allowed. Allowed: scram-sha-256. Fix: set it, and set the passwords again.',
      ],
    },
    {
      title: "old TLS",
      change: { [parameter("ssl_min_protocol_version")]: "TLSv1.1" },
      says: [
        'Cluster shop/orders: ssl_min_protocol_version: "TLSv1.1" is not allowed. Allowed: TLSv1.2 or TLSv1.3. Fix: remove it or raise it.',
      ],
    },
    { title: "TLS 1.2", change: { [parameter("ssl_min_protocol_version")]: "TLSv1.2" }, says: [] },
    {
      title: "both in another case",
      change: {
        [parameter("password_encryption")]: "SCRAM-SHA-256",
        [parameter("ssl_min_protocol_version")]: "tlsv1.3",
      },
      says: [],
    },
  ],
  "guaranteed-memory": [
    {
      title: "a higher limit",
      change: { "spec.resources.limits.memory": "4Gi" },
      says: [
        'Cluster shop/orders: limits.memory: "4Gi" is not allowed. Allowed: the same as the request of 2Gi, so that PostgreSQL is never killed for memory that another pod took. Fix: set both to the same.',
      ],
    },
    {
      title: "no request",
      change: { "spec.resources.requests.memory": undefined },
      says: [
        "Cluster shop/orders: requests.memory: not set. Allowed: a request and a limit of the same memory. Fix: set both.",
      ],
    },
    {
      title: "no limit",
      change: { "spec.resources.limits.memory": undefined },
      says: [
        "Cluster shop/orders: limits.memory: not set. Allowed: a request and a limit of the same memory. Fix: set both.",
      ],
    },
    {
      title: "nothing",
      change: { "spec.resources": undefined },
      says: [
        "Cluster shop/orders: requests.memory: not set. Allowed: a request and a limit of the same memory. Fix: set both.",
      ],
    },
    { title: "the same, written otherwise", change: { "spec.resources.limits.memory": "2048Mi" }, says: [] },
    ...[
      ["2Gi", "2147483648000m"],
      ["2Gi", "2.Gi"],
      ["1e9", "1e9"],
      ["1e9", "1G"],
      [".5Gi", "512Mi"],
      ["1Pi", "1024Ti"],
    ].map(([request, limit]) => ({
      title: `${request} and ${limit}, which are the same to Kubernetes`,
      change: { "spec.resources.requests.memory": request, "spec.resources.limits.memory": limit },
      says: [],
    })),
    {
      title: "a thousandth more",
      change: { "spec.resources.requests.memory": "1e9", "spec.resources.limits.memory": "1001M" },
      says: [
        'Cluster shop/orders: limits.memory: "1001M" is not allowed. Allowed: the same as the request of 1e9, so that PostgreSQL is never killed for memory that another pod took. Fix: set both to the same.',
      ],
    },
  ],
  "shared-buffers": [
    {
      title: "half of the memory",
      change: { [parameter("shared_buffers")]: "1GB" },
      says: [
        'Cluster shop/orders: shared_buffers: "1GB" is not allowed. Allowed: an amount of memory such as 128MB, at most 819MB (40 % of the memory limit). Fix: lower it, or raise the memory.',
      ],
    },
    {
      title: "no amount",
      change: { [parameter("shared_buffers")]: "much" },
      says: [
        'Cluster shop/orders: shared_buffers: "much" is not allowed. Allowed: an amount of memory such as 128MB, at most 819MB (40 % of the memory limit). Fix: lower it, or raise the memory.',
      ],
    },
    { title: "no limit to compare with", change: { "spec.resources.limits.memory": undefined }, says: [] },
    {
      title: "all of a memory that is written with an exponent",
      change: { "spec.resources.limits.memory": "1e9", [parameter("shared_buffers")]: "900GB" },
      says: [
        'Cluster shop/orders: shared_buffers: "900GB" is not allowed. Allowed: an amount of memory such as 128MB, at most 381MB (40 % of the memory limit). Fix: lower it, or raise the memory.',
      ],
    },
    {
      title: "little of a memory that is written with an exponent",
      change: { "spec.resources.limits.memory": "1e9", [parameter("shared_buffers")]: "128MB" },
      says: [],
    },
    {
      title: "a memory that is no quantity",
      change: { "spec.resources.limits.memory": "much" },
      says: [
        'Cluster shop/orders: limits.memory: "much" is not allowed. Allowed: a quantity such as 2Gi. Fix: write it as one.',
      ],
    },
    { title: "exactly two fifths", change: { [parameter("shared_buffers")]: "819MB" }, says: [] },
    {
      title: "half where the option says half",
      change: { [parameter("shared_buffers")]: "1GB" },
      options: { percent: 50 },
      says: [],
    },
  ],
};

describe("invariants of clusters", () => {
  for (const [name, list] of Object.entries(cases))
    describe(name, () => {
      it("has nothing to say about the good cluster", () =>
        assert.deepEqual(violationsOf(name, good("cluster")), []));
      for (const { title, change, options, says } of list)
        it(`${title}: ${says.length === 0 ? "allowed" : "refused"}`, () =>
          assert.deepEqual(violationsOf(name, mutated("cluster", change), options), says));
      it("reads nothing but clusters", () =>
        assert.deepEqual(violationsOf(name, { ...good("cluster"), kind: "Backup" }), []));
    });
});
