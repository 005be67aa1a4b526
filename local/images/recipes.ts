import { readFileSync } from "node:fs";
import { join } from "node:path";
import { alpine } from "../../releases/imageFacts";
import { pins, type ImageName } from "../../releases/pins";
import { imageArchitecture, type ImageConfig } from "./oci";

/** Keys of the programs that are built from Go modules. */
export type ProgramName =
  | "pause"
  | "coredns"
  | "localPathProvisioner"
  | "cnpgOperator"
  | "zalandoOperator"
  | "barmanPlugin"
  | "walTools"
  | "rclone"
  | "versitygw"
  | "strictStore"
  | "prometheusOperator"
  | "prometheusConfigReloader"
  | "kubeStateMetrics"
  | "certManager";

/** A program built from Go modules, alone in its root file system. */
export interface ProgramRecipe {
  kind: "program";
  /** Key in the set of built programs. */
  program: ProgramName;
  /** Where the program lies in the image. */
  path: string;
  /** Symbolic links: path in the image → target. */
  links?: Record<string, string>;
  /** Text files: path in the image → content. */
  texts?: Record<string, string>;
  /** Copies the host's bundle of CA certificates. @default false */
  certificateAuthorities?: boolean;
  config: ImageConfig;
}

/** A root file system made of Debian packages, whose signatures are verified against Debian's archive keys. */
export interface DebianRecipe {
  kind: "debian";
  packages: readonly string[];
  /** A release of Debian whose packages fill in where the usual one has none. @default - none */
  older?: string;
  /** Lines appended to /etc/passwd and /etc/group before the packages are configured. */
  users?: readonly string[];
  groups?: readonly string[];
  /** Text files written before the packages are configured: path in the image → content. */
  texts?: Record<string, string>;
  /** Python packages as pip's requirements with their hashes, without what they depend on. @default - none */
  wheels?: readonly string[];
  /** Programs built from Go modules: path in the image → key of the program. @default - none */
  programs?: Readonly<Record<string, ProgramName>>;
  /** Keeps what packages and the script make below /run. @default false */
  keepsRun?: boolean;
  /** Shell lines run inside the root file system at the end. */
  script?: string;
  /** Keeps nothing but these files and programs, with BusyBox under these names beside them. @default - all of it */
  reducedTo?: { files: readonly string[]; applets: readonly string[] };
  config: ImageConfig;
}

export type Recipe = ProgramRecipe | DebianRecipe;

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const major = pins.postgresMajor;

const users = {
  "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n",
  "etc/group": "root:x:0:\nnonroot:x:65532:\n",
};

/** What a built-in cluster runs before any stack: pods as such, name resolution, storage with its helper, and clients. */
export const clusterImages: readonly ImageName[] = ["pause", "coredns", "localPathProvisioner", "client"];
/** What tests alone run, which build and load it themselves. */
export const testImages: readonly ImageName[] = [
  "strictStore",
  "postgresqlBeforeUpgrade",
  "postgresqlAfterUpgrade",
  "certManager",
];

/** Images to build for a cluster whose stack runs images of these names; one that nothing builds here is left to the stack. */
export const neededImages = (stack: readonly string[]): ImageName[] =>
  (Object.keys(recipes) as ImageName[]).filter(
    (name) => clusterImages.includes(name) || stack.includes(pins.images[name]),
  );

/** Barman's cloud tools: the release that the plugin's own sidecar has, which Debian's is older than, on Debian's libraries. */
const barman = {
  packages: ["python3-psycopg2", "python3-dateutil", "python3-boto3", "python3-lz4", "python3-zstandard"],
  wheels: [`barman==${pins.barman.version} --hash=sha256:${pins.barman.sha256}`],
};

/** Barman's tools that archive and fetch log, as one program of our own that is found before Barman's (local/images/wal-tools). */
const walTools: { programs: Record<string, ProgramName>; script: string } = {
  programs: { "usr/local/sbin/barman-cloud-wal-restore": "walTools" },
  script: "ln -s barman-cloud-wal-restore /usr/local/sbin/barman-cloud-wal-archive",
};

/** CloudNativePG's contract: the server's programs on PATH, run as uid 26, the tag begins with the major version. */
function serverForCnpg(onPath: string, packages: readonly string[]): DebianRecipe {
  return {
    kind: "debian",
    packages: [...packages, "locales", "ca-certificates", "procps"],
    users: ["postgres:x:26:102:PostgreSQL administrator:/var/lib/postgresql:/bin/bash"],
    groups: ["postgres:x:102:"],
    texts: { "etc/postgresql-common/createcluster.conf": "create_main_cluster = false\n" },
    script: [
      "sed -i 's/# \\(en_US.UTF-8\\)/\\1/' /etc/locale.gen",
      "locale-gen",
      'test "$(id -u postgres)" = 26',
      `/usr/lib/postgresql/${onPath}/bin/postgres --version`,
    ].join("\n"),
    config: {
      User: "26",
      Env: [`PATH=${path}:/usr/lib/postgresql/${onPath}/bin`, "LANG=C.UTF-8"],
      Cmd: ["/bin/bash"],
    },
  };
}

/**
 * Both majors, of which one is on PATH: the operator copies the older one's programs out of its image into a container of the newer one's, and leaves the
 * libraries of the system behind.
 */
function serverOfTwoMajors(onPath: string): DebianRecipe {
  const majors = [pins.olderPostgresMajor.major, major];
  const packages = majors.flatMap((one) => [`postgresql-${one}`, `postgresql-${one}-pgaudit`]);
  const { config, ...recipe } = serverForCnpg(onPath, packages);
  // Before Debian's own programs, which look for the newest server: the operator asks `pg_config` where this one lies.
  const Env = [`PATH=/usr/lib/postgresql/${onPath}/bin:${path}`, "LANG=C.UTF-8"];
  return { ...recipe, older: pins.olderPostgresMajor.debian, config: { ...config, Env } };
}

/** Programs of Spilo's, by whose names others call them, as the image that stands in for it has them. */
const spiloScripts = [
  "restore_command",
  "postgres_backup",
  "patroni_wait",
  "on_role_change",
  "post_init",
].map((name) => `${name}.sh`);

/** Every image that can be built here, under the names in `pins.images`. None of them is the upstream project's image. */
export const recipes: Record<ImageName, Recipe> = {
  pause: {
    kind: "program",
    program: "pause",
    path: "pause",
    config: { User: "65535", Entrypoint: ["/pause"] },
  },

  coredns: { kind: "program", program: "coredns", path: "coredns", config: { Entrypoint: ["/coredns"] } },

  localPathProvisioner: {
    kind: "program",
    program: "localPathProvisioner",
    path: "local-path-provisioner",
    config: { Entrypoint: ["/local-path-provisioner"] },
  },

  // The operator copies /manager into the pods of its clusters and reads /operator/manager_<architecture> for upgrades.
  cnpgOperator: {
    kind: "program",
    program: "cnpgOperator",
    path: `operator/manager_${imageArchitecture()}`,
    links: { manager: `operator/manager_${imageArchitecture()}` },
    texts: users,
    certificateAuthorities: true,
    config: { Env: ["PATH=/"], WorkingDir: "/", User: "65532:65532", Entrypoint: ["/manager"] },
  },

  postgresql: serverForCnpg(major, [
    `postgresql-${major}`,
    ...pins.postgresqlExtensions.map((name) => `postgresql-${major}-${name}`),
  ]),

  postgresqlBeforeUpgrade: serverOfTwoMajors(pins.olderPostgresMajor.major),
  postgresqlAfterUpgrade: serverOfTwoMajors(major),

  // What the standalone server needs of Docker's official image: the server's programs on PATH, uid and gid 999, bash, gzip.
  postgresqlStandalone: {
    kind: "debian",
    packages: [
      `postgresql-${major}`,
      ...pins.postgresqlExtensions.map((name) => `postgresql-${major}-${name}`),
      "ca-certificates",
      "procps",
    ],
    users: ["postgres:x:999:999:PostgreSQL administrator:/var/lib/postgresql:/bin/bash"],
    groups: ["postgres:x:999:"],
    texts: { "etc/postgresql-common/createcluster.conf": "create_main_cluster = false\n" },
    script: [
      'test "$(id -u postgres):$(id -g postgres)" = 999:999',
      `/usr/lib/postgresql/${major}/bin/postgres --version`,
    ].join("\n"),
    config: {
      User: "999:999",
      Env: [`PATH=${path}:/usr/lib/postgresql/${major}/bin`, "LANG=C.UTF-8"],
      Cmd: ["/bin/bash"],
    },
  },

  // CloudNativePG runs /usr/bin/pgbouncer as 998:996, and lets in the system user `pgbouncer` by `peer`.
  pgbouncer: {
    kind: "debian",
    packages: ["pgbouncer", `postgresql-client-${major}`, "ca-certificates", "procps"],
    users: ["pgbouncer:x:998:996:PgBouncer:/:/usr/sbin/nologin"],
    groups: ["pgbouncer:x:996:"],
    script: [
      "ln -s ../sbin/pgbouncer /usr/bin/pgbouncer",
      "/usr/bin/pgbouncer --version",
      "psql --version",
    ].join("\n"),
    config: { User: "998:996", Env: [`PATH=${path}`, "LANG=C.UTF-8"], Cmd: ["/usr/bin/pgbouncer"] },
  },

  client: {
    kind: "debian",
    packages: [`postgresql-client-${major}`, "python3-psycopg2", "ca-certificates", "procps"],
    script: "psql --version\npython3 -c 'import psycopg2'",
    config: { User: "65532:65532", Env: [`PATH=${path}`, "LANG=C.UTF-8"], Cmd: ["/bin/bash"] },
  },

  // Debian's build of the Prometheus community's exporter, under the entry point, port and user of its container.
  // It reads PGBOUNCER_EXPORTER_CONNECTION_STRING itself; Debian's default for the PID file doesn't fit a container.
  pgbouncerExporter: {
    kind: "debian",
    packages: ["prometheus-pgbouncer-exporter", "ca-certificates"],
    script: [
      "ln -s /usr/bin/prometheus-pgbouncer-exporter /bin/pgbouncer_exporter",
      "/bin/pgbouncer_exporter --version",
    ].join("\n"),
    config: {
      User: "65534:65534",
      Env: [`PATH=${path}`],
      Entrypoint: ["/bin/pgbouncer_exporter", "--pgBouncer.pid-file="],
      ExposedPorts: { "9127/tcp": {} },
    },
  },

  // Debian's build of the Prometheus community's exporter, under the entry point, port and user of its container.
  postgresExporter: {
    kind: "debian",
    packages: ["prometheus-postgres-exporter", "ca-certificates"],
    script: [
      "ln -s /usr/bin/prometheus-postgres-exporter /bin/postgres_exporter",
      "/bin/postgres_exporter --version",
    ].join("\n"),
    config: {
      User: "65534:65534",
      Env: [`PATH=${path}`],
      Entrypoint: ["/bin/postgres_exporter"],
      ExposedPorts: { "9187/tcp": {} },
    },
  },

  // The upstream image's command line and user; it has a shell's place empty, as that has.
  versitygw: {
    kind: "program",
    program: "versitygw",
    path: "usr/local/bin/versitygw",
    texts: users,
    config: { Env: [`PATH=${path}`], User: "65532:65532", Entrypoint: ["/usr/local/bin/versitygw"] },
  },

  // For tests: a store that refuses what B2 and R2 refuse, in front of versitygw in the same pod.
  strictStore: {
    kind: "program",
    program: "strictStore",
    path: "usr/local/bin/strict-store",
    texts: users,
    config: { Env: [`PATH=${path}`], User: "65532:65532", Entrypoint: ["/usr/local/bin/strict-store"] },
  },

  barmanPlugin: {
    kind: "program",
    program: "barmanPlugin",
    path: "manager",
    texts: users,
    certificateAuthorities: true,
    config: { Env: ["PATH=/"], WorkingDir: "/", User: "65532:65532", Entrypoint: ["/manager"] },
  },

  // The plugin's sidecar: the same program beside Barman's cloud tools, as uid 26, which the instances' files belong to. The tools that
  // archive and fetch log are our own, unlike in the upstream image: no Python starts while a primary stops or a standby is promoted.
  barmanSidecar: {
    kind: "debian",
    packages: [...barman.packages, "ca-certificates"],
    wheels: barman.wheels,
    users: ["postgres:x:26:26:PostgreSQL administrator:/tmp:/usr/sbin/nologin"],
    groups: ["postgres:x:26:"],
    programs: { manager: "barmanPlugin", ...walTools.programs },
    script: `barman-cloud-backup --version && python3 -c 'import lz4.frame, zstandard, boto3'\n${walTools.script}`,
    config: { User: "26:26", Env: [`PATH=${path}`, "LANG=C.UTF-8"], Entrypoint: ["/manager"] },
  },

  // As upstream's, on BusyBox, so that a script can't use what isn't there; rclone with the commands that scripts use, and S3 alone.
  backupTools: {
    kind: "debian",
    packages: ["busybox-static", "ca-certificates"],
    programs: { "usr/local/bin/rclone": "rclone" },
    script: "rclone version",
    reducedTo: {
      files: ["usr/bin/busybox", "etc/passwd", "etc/group", "etc/ssl/certs/ca-certificates.crt"],
      applets: alpine,
    },
    config: { User: "65532:65532", Env: [`PATH=${path}`], Entrypoint: ["rclone"] },
  },

  // The upstream images' paths and user; they have BusyBox beside their program, which nothing uses.
  prometheusOperator: {
    kind: "program",
    program: "prometheusOperator",
    path: "bin/operator",
    texts: users,
    certificateAuthorities: true,
    config: { Env: ["PATH=/bin"], User: "65534:65534", Entrypoint: ["/bin/operator"] },
  },

  prometheusConfigReloader: {
    kind: "program",
    program: "prometheusConfigReloader",
    path: "bin/prometheus-config-reloader",
    texts: users,
    config: { Env: ["PATH=/bin"], User: "65534:65534", Entrypoint: ["/bin/prometheus-config-reloader"] },
  },

  kubeStateMetrics: {
    kind: "program",
    program: "kubeStateMetrics",
    path: "kube-state-metrics",
    texts: users,
    config: {
      Env: ["PATH=/"],
      User: "65534:65534",
      Entrypoint: ["/kube-state-metrics", "--port=8080", "--telemetry-port=8081"],
    },
  },

  // Only the controller, for the suite of certificates: the last version that one module builds.
  certManager: {
    kind: "program",
    program: "certManager",
    path: "app/cmd/controller/controller",
    texts: users,
    config: { Env: ["PATH=/"], User: "1000:1000", Entrypoint: ["/app/cmd/controller/controller"] },
  },

  // Debian's build under the entry point, folders and user of the upstream image, with the page of the server.
  prometheus: {
    kind: "debian",
    packages: ["prometheus", "ca-certificates"],
    script: [
      "install -d -o 65534 -g 65534 /prometheus",
      // Nothing in a pod uses it, and it is as large as the server.
      "rm /usr/bin/promtool",
      "/bin/prometheus --version",
    ].join("\n"),
    config: {
      User: "65534:65534",
      Env: [`PATH=${path}`],
      WorkingDir: "/prometheus",
      Entrypoint: ["/bin/prometheus"],
      ExposedPorts: { "9090/tcp": {} },
    },
  },

  // The same of Alertmanager; Debian's has no page, since its sources can't be built from what Debian has.
  alertmanager: {
    kind: "debian",
    packages: ["prometheus-alertmanager", "ca-certificates"],
    script: [
      "ln -s prometheus-alertmanager /usr/bin/alertmanager",
      "install -d -o 65534 -g 65534 /alertmanager",
      "/bin/alertmanager --version",
    ].join("\n"),
    config: {
      User: "65534:65534",
      Env: [`PATH=${path}`],
      WorkingDir: "/alertmanager",
      Entrypoint: ["/bin/alertmanager"],
      ExposedPorts: { "9093/tcp": {} },
    },
  },

  zalandoOperator: {
    kind: "program",
    program: "zalandoOperator",
    path: "postgres-operator",
    texts: {
      "etc/passwd": `${users["etc/passwd"]}pgo:x:1000:1000:Postgres Operator:/home/pgo:/sbin/nologin\n`,
      "etc/group": `${users["etc/group"]}pgo:x:1000:\n`,
    },
    certificateAuthorities: true,
    config: { Env: ["PATH=/"], WorkingDir: "/", User: "1000:1000", Entrypoint: ["/postgres-operator"] },
  },

  // The operator's contract with Spilo: its environment, uid 101 and gid 103, data below /home/postgres/pgdata, Patroni's REST on 8008.
  // Where Spilo archives with WAL-G, it has Barman's cloud tools, and for WAL the tools of our own that barmanSidecar has. What Spilo's scripts do
  // that one must reckon with, those in patroni-for-zalando/ do too, under the same names.
  patroniForZalando: {
    kind: "debian",
    packages: [
      `postgresql-${major}`,
      ...pins.postgresqlExtensions.map((name) => `postgresql-${major}-${name}`),
      // Of those that Spilo makes in every database.
      ...["pg-stat-kcache", "set-user"].map((name) => `postgresql-${major}-${name}`),
      "patroni",
      "python3-croniter",
      ...barman.packages,
      // envdir, by which the tools of the archive get their keys.
      "daemontools",
      "locales",
      "ca-certificates",
      "procps",
    ],
    wheels: barman.wheels,
    users: ["postgres:x:101:103:PostgreSQL administrator:/home/postgres:/bin/bash"],
    groups: ["postgres:x:103:"],
    keepsRun: true,
    texts: {
      "etc/postgresql-common/createcluster.conf": "create_main_cluster = false\n",
      ...Object.fromEntries(
        ["run.py", "archive.py"].map((name) => [
          `opt/patroni-for-zalando/${name}`,
          readFileSync(join(__dirname, "patroni-for-zalando", name), "utf8"),
        ]),
      ),
      // Where Spilo has them, to be run by envdir as there.
      ...Object.fromEntries(
        spiloScripts.map((name) => [
          `scripts/${name}`,
          readFileSync(join(__dirname, "patroni-for-zalando", name), "utf8"),
        ]),
      ),
    },
    programs: walTools.programs,
    script: [
      "sed -i 's/# \\(en_US.UTF-8\\)/\\1/' /etc/locale.gen",
      "locale-gen",
      'test "$(id -u postgres):$(id -g postgres)" = 101:103',
      "install -d -o postgres -g postgres -m 0700 /home/postgres /home/postgres/pgdata",
      "install -d -o postgres -g postgres -m 0775 /var/run/postgresql",
      "install -d -o postgres -g postgres -m 0700 /run/etc /run/etc/wal-e.d",
      "chmod 0755 /scripts/*.sh",
      `/usr/lib/postgresql/${major}/bin/postgres --version`,
      "patroni --version",
      "barman-cloud-backup --version && test -x /usr/bin/envdir",
      walTools.script,
    ].join("\n"),
    config: {
      User: "101:103",
      WorkingDir: "/home/postgres",
      Env: [
        `PATH=${path}:/usr/lib/postgresql/${major}/bin`,
        "LANG=C.UTF-8",
        "HOME=/home/postgres",
        "PGDATA=/home/postgres/pgdata/pgroot/data",
        "PATRONICTL_CONFIG_FILE=/home/postgres/postgres.yml",
      ],
      Entrypoint: ["/usr/bin/python3", "/opt/patroni-for-zalando/run.py"],
    },
  },
};
