/** A subject of the settings reference: what it is about, how it looks in a stack file, and which settings belong to it. */
export interface Group {
  readonly title: string;
  /** One or two sentences. */
  readonly intro: string;
  /** As it stands below `config:` in `Pulumi.<stack>.yaml`; with the required settings it passes the settings check. */
  readonly example: string;
  /** A setting belongs to the group that names the longest beginning of its path. */
  readonly paths: readonly string[];
}

export const groups: readonly Group[] = [
  {
    title: "Platform and Kubernetes",
    intro:
      "Which Kubernetes cluster the stack runs on, how strict the checks are, and which addresses the API server has. " +
      "`platform` is required.",
    example: `pgplatform:platform: cloud
pgplatform:tier: prod
pgplatform:kubernetes: { context: west }
pgplatform:operator: { install: true }
pgplatform:network:
  apiServer: [{ cidr: 203.0.113.7/32, port: 6443 }]
  dns: [{ cidr: 169.254.20.10/32 }]
pgplatform:cluster:
  storage: { class: longhorn }
pgplatform:backup:
  targets:
    - { name: live, kind: aws, bucket: shop-live, region: eu-central-1 }
    - { name: copy, kind: r2, bucket: shop-copies, account: 0123456789abcdef0123456789abcdef }`,
    paths: ["platform", "tier", "kubernetes", "operator", "network"],
  },
  {
    title: "Scheduling",
    intro:
      "Which nodes pods go to. `scheduling` is for all of them, `cluster.scheduling` for the instances, `operator.scheduling` for the operator; " +
      "each of the last two replaces the first as a whole.",
    example: `pgplatform:scheduling:
  tolerations: [{ key: dedicated, value: postgres, effect: NoSchedule }]
pgplatform:cluster:
  scheduling:
    nodeSelector: { pool: db }
    tolerations: [{ key: dedicated, value: postgres, effect: NoSchedule }]
    priorityClassName: database`,
    paths: ["scheduling", "cluster.scheduling", "operator.scheduling"],
  },
  {
    title: "Cluster",
    intro:
      "Name, engine and major version of the database cluster. `name`, `namespace`, `storage.size` and one database are " +
      "required.",
    example: `pgplatform:cluster:
  name: shop-db
  namespace: shop
  engine: cnpg
  postgresVersion: "17"
  storage: { size: 20Gi }
  databases: [{ name: shop, owner: shop }]
pgplatform:labels: { team: shop }`,
    paths: ["cluster", "labels"],
  },
  {
    title: "Storage",
    intro:
      "Volumes of each instance. Give `writeMiBPerSecond` and `toleratedOutageHours` and the WAL volume is sized for an " +
      "outage of the archive.",
    example: `pgplatform:cluster:
  storage:
    class: local-path
    size: 20Gi
    writeMiBPerSecond: 0.5
    toleratedOutageHours: 12`,
    paths: ["cluster.storage"],
  },
  {
    title: "Memory, connections and parameters",
    intro:
      "`shared_buffers`, `work_mem` and the other memory parameters follow from the memory request and `maxConnections`; " +
      "`parameters` overrides them.",
    example: `pgplatform:cluster:
  resources:
    requests: { cpu: 500m, memory: 2Gi }
    limits: { cpu: "2", memory: 2Gi }
  maxConnections: 200
  parameters: { work_mem: 2621kB, random_page_cost: 1.1 }`,
    paths: ["cluster.resources", "cluster.maxConnections", "cluster.parameters", "cluster.preloadLibraries"],
  },
  {
    title: "High availability",
    intro:
      "How many instances run, where, when a commit is acknowledged, and how soon a standby is promoted. " +
      "[Failover](failover.md) has the measured pauses.",
    example: `pgplatform:cluster:
  instances: 3
  spread: required
  durability: zero-loss
  synchronousStandbys: 1
  failover: standard`,
    paths: [
      "cluster.instances",
      "cluster.spread",
      "cluster.drains",
      "cluster.durability",
      "cluster.synchronousStandbys",
      "cluster.failover",
    ],
  },
  {
    title: "Databases and roles",
    intro:
      "Databases with owner, schemas and extensions, and further roles. Removing one from the stack file leaves it in " +
      "PostgreSQL.",
    example: `pgplatform:cluster:
  databases:
    - name: shop
      owner: shop
      ownerConnectionLimit: 60
      schemas: [{ name: billing }]
      extensions: [pg_stat_statements, { name: pg_trgm, schema: public }]
    - { name: reports, owner: analyst, connectionLimit: 20 }
    - { name: synapse, owner: synapse, locale: C }
  roles:
    - { name: auditor, memberOf: [pg_read_all_data], connectionLimit: 5 }
    - { name: debezium, replication: true, memberOf: [pg_read_all_data] }`,
    paths: ["cluster.databases", "cluster.roles", "cluster.slots"],
  },
  {
    title: "Access",
    intro:
      "The rules of `pg_hba.conf` for instances: who may log in to which database from where. Network policies come " +
      "first: only listed [clients](#clients-and-bindings) reach a port at all.",
    example: `pgplatform:cluster:
  access:
    - { database: app, role: app, from: 10.1.0.0/16 }`,
    paths: ["cluster.access"],
  },
  {
    title: "Poolers",
    intro:
      "PgBouncer in front of the cluster. The numbers are totals of all pods of a pooler; each pod gets its share.",
    example: `pgplatform:poolers:
  - name: app
    database: app
    mode: transaction
    instances: 2
    serverConnections: 40
    poolSize: 30
    maxClients: 1000
    tuning: { queryWaitTimeoutSeconds: 60, ignoreStartupParameters: [search_path] }
  - { name: reports, database: app, reads: standbys, serverConnections: 20, poolSize: 10 }`,
    paths: ["poolers"],
  },
  {
    title: "Clients and bindings",
    intro:
      "Pods that may connect; network policies refuse all others. A binding puts the connection parameters into the " +
      "client's namespace: see [connecting](connect.md).",
    example: `pgplatform:poolers:
  - { name: app, database: app }
pgplatform:clients:
  - name: shop
    namespace: shop
    labels: { app: shop }
    pooler: app
    binding: { copySecret: true }
  - { name: migrations, namespace: shop, labels: { app: migrations }, direct: true, connections: 5 }`,
    paths: ["clients"],
  },
  {
    title: "Backup",
    intro: "Continuous archiving and base backups: see [backups](backup.md).",
    example: `pgplatform:backup:
  schedule: "0 2 * * *"
  timeZone: UTC
  recoveryWindowDays: 7
  rpoMinutes: 2
  memory: 2Gi
  targets:
    - { name: near, kind: local, size: 20Gi }`,
    paths: ["backup"],
  },
  {
    title: "Backup targets",
    intro:
      "The first target holds the archive, the second its copy. `kind` decides which of the other settings apply: " +
      "[where backups go](backup.md#where-backups-go) has the table.",
    example: `pgplatform:backup:
  copy: { schedule: "*/15 * * * *" }
  targets:
    - name: live
      kind: s3
      bucket: shop-live
      region: eu-central-1
      credentials: { accessKeyId: AKIAEXAMPLE, secretAccessKey: { secure: AAABAexample } }
    - name: copy
      kind: r2
      bucket: shop-copies
      account: 0123456789abcdef0123456789abcdef
      lockDays: 7`,
    paths: ["backup.targets", "backup.copy"],
  },
  {
    title: "Verification",
    intro:
      "A Job restores the newest backup of each target on a schedule and checks the data: see " +
      "[verification](backup.md#verification).",
    example: `pgplatform:backup:
  targets:
    - { name: near, kind: local }
  verify:
    schedule: "0 5 * * 0"
    dump: true
    queries:
      - { name: orders, sql: select count(*) > 0 from orders }`,
    paths: ["backup.verify"],
  },
  {
    title: "Restore",
    intro: "The backup that a new cluster begins with: see [restore](backup.md#restore).",
    example: `pgplatform:backup:
  targets:
    - { name: near, kind: local }
pgplatform:restore:
  target: near
  archiveId: "3f2a90b1c4"
  to: { time: "2026-01-31T23:59:00Z" }`,
    paths: ["restore"],
  },
  {
    title: "Rotation",
    intro:
      "New passwords for the roles, while clients stay connected: see [new passwords](changes.md#new-passwords).",
    example: `pgplatform:rotation: { credentialVersion: 2, overlapMinutes: 10 }`,
    paths: ["rotation"],
  },
  {
    title: "Owners of passwords",
    intro:
      "Who makes the passwords: the stack, another program by its Secrets, or AWS Secrets Manager by External Secrets. See [secrets](secrets.md).",
    example: `pgplatform:secrets:
  source: aws-secrets-manager
  region: eu-central-1
  roleArn: arn:aws:iam::123456789012:role/shop-secrets
  roles:
    - { role: app, remoteKey: postgres/app-credentials }
    - { role: pgp_admin, remoteKey: postgres/admin-credentials }`,
    paths: ["secrets"],
  },
  {
    title: "Maintenance",
    intro:
      "VACUUM and ANALYZE in a window, beside autovacuum: a CronJob goes over the databases as their owners. What a run came to is in its log: " +
      "`kubectl logs -l job-name`; `kubectl create job --from=cronjob/<cluster>-maintenance now` starts one at once.",
    example: `pgplatform:maintenance: { schedule: "30 3 * * 0", timeZone: Europe/Berlin, minutes: 90 }`,
    paths: ["maintenance"],
  },
  {
    title: "Certificates",
    intro:
      "Who signs what servers and poolers show, and what clients trust: see [certificates](certificates.md).",
    example: `pgplatform:tls:
  issuer: cert-manager
  issuerRef: { kind: ClusterIssuer, name: internal-ca }`,
    paths: ["tls"],
  },
  {
    title: "Monitoring",
    intro:
      "The metrics ports are closed until a namespace is named here. `queries` adds metrics of the applications' own data; " +
      "[metrics](metrics.md) has all metrics, and what a query may be. `logs` is what servers and poolers log: see [logs](logs.md).",
    example: `pgplatform:poolers: [{ name: app, database: app }]
pgplatform:monitoring:
  namespace: monitoring
  memory: 96Mi
  logs: { slowQuery: 250ms }
  statements: { top: 20 }
  queries:
    - name: orders
      sql: SELECT tenant, count(*) AS open, max(extract(epoch FROM now() - created)) AS oldest_seconds FROM orders GROUP BY tenant
      tables: [orders]
      labels: [tenant]
      values:
        - { name: open, help: orders that wait }
        - { name: oldest_seconds, unit: seconds, help: age of the oldest of them }
      limit: 50`,
    paths: ["monitoring"],
  },
  {
    title: "Audit",
    intro:
      "Which statements are written down, by pgAudit, with who executed them: see [audit](logs.md#audit). The image must have pgAudit.",
    example: `pgplatform:cluster:
  databases: [{ name: shop, owner: shop, schemas: [{ name: billing }] }]
pgplatform:audit:
  profile: ddl
  roles: [{ role: pgp_admin, profile: all }]
  objects: [{ database: shop, schema: billing, commands: [select] }]`,
    paths: ["audit"],
  },
  {
    title: "Monitoring that the stack installs",
    intro:
      "Prometheus, Alertmanager, kube-state-metrics and maybe a Grafana, with `monitoring.prometheus: install`: see " +
      "[installed by the stack](monitoring.md#installed-by-the-stack).",
    example: `pgplatform:monitoring:
  prometheus: install
  install:
    retentionDays: 30
    storage: { size: 20Gi }
    receivers:
      - { name: on-call, kind: pagerduty, severities: [critical], routingKey: { secure: AAABAexample } }
      - name: team
        kind: webhook
        url: http://chat-bridge.tools.svc/alerts
        pods: { namespace: tools, labels: { app: chat-bridge }, port: 8080 }`,
    paths: ["monitoring.install"],
  },
  {
    title: "Thresholds of alerts",
    intro:
      "From which value on [alerts](monitoring.md#alerts) fire, each with its unit. They have an effect where `monitoring.prometheus` isn't none.",
    example: `pgplatform:monitoring:
  prometheus: operator
  namespace: monitoring
  labels: { release: prometheus }
  runbooks: https://wiki.example.com/runbooks
  thresholds: { volumeFull: 48h, connectionsHigh: 70%, deadlocks: 20, slotWal: 8Gi }`,
    paths: ["monitoring.thresholds"],
  },
  {
    title: "Protection",
    intro:
      "What is refused to be deleted or replaced, and what may be for a time: see [protection](changes.md#protection).",
    example: `pgplatform:tier: prod
pgplatform:protection: { verifiedWithinHours: 12 }
pgplatform:allow:
  - { what: cluster shop/orders, until: "2026-03-31" }`,
    paths: ["protection", "allow"],
  },
  {
    title: "Waivers",
    intro:
      "What policies let pass for a time: see [waivers](policies.md#waivers). Each is told on every run.",
    example: `pgplatform:waivers:
  - policy: enough-instances
    resource: Cluster shop/orders
    reason: the second node comes in March
    until: "2026-03-31"
    who: Ada`,
    paths: ["waivers"],
  },
  {
    title: "Images and registries",
    intro:
      "Other images than the defaults, a mirror for all of them, and logins to private registries. A default is chosen " +
      "by platform, engine and major version.",
    example: `pgplatform:platform: k3d
pgplatform:images:
  registry: registry.example.com/mirror
  pgbouncer: registry.example.com/pgbouncer:1.25.2
pgplatform:registries:
  - { server: registry.example.com, username: robot, password: { secure: AAABAexample } }`,
    paths: ["images", "registries"],
  },
  {
    title: "Fields without a setting",
    intro:
      "Fields laid over the planned objects, by the end of the resource's name or by kind. The policies judge what comes of it.",
    example: `pgplatform:poolers: [{ name: app, database: app }]
pgplatform:transform:
  cluster: { cluster: { spec: { priorityClassName: database } } }
  poolers: { Deployment: { spec: { template: { spec: { priorityClassName: database } } } } }
  network: { NetworkPolicy: { metadata: { annotations: { example.com/owner: shop } } } }`,
    paths: ["transform"],
  },
];
