import type { Images, Settings } from "../settings/schema";

/**
 * What the upstream images hold, as far as the platform relies on it: read in their makers' build files, which each entry names. Tests hold
 * the scripts that run in an image, and the image that is built here in its place, to these facts.
 */
export interface ImageFacts {
  /** Its name, without registry and tag. */
  readonly image: string;
  /** Where this was read. */
  readonly source: string;
  /** User that its processes get where a pod names none; undefined where that is root. */
  readonly user?: number;
  /** Group that belongs to that user; undefined where no build file fixes it. */
  readonly group?: number;
  /** What runs where a pod gives arguments and no command. */
  readonly entrypoint?: readonly string[];
  /** Folders of its variable PATH beside the usual ones of a system, in their order. */
  readonly path?: readonly string[];
  /** Whose versions of sed, awk, date, du and so on it has. */
  readonly flavour: "GNU" | "BusyBox" | "none";
  /** Programs on PATH. */
  readonly tools: readonly string[];
  /** Its Python, with the modules beside Python's own. @default - none */
  readonly python?: { readonly version: string; readonly modules: readonly string[] };
  /** Folders that its user may write to where the root file system is writable. */
  readonly writable: readonly string[];
}

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Debian's essential packages, which `debian:trixie-slim` consists of; curl is not among them. */
const debian = words(`
  bash sh dash
  [ b2sum base32 base64 basename cat chgrp chmod chown cksum comm cp csplit cut date dd df dir dirname du echo env expand expr factor false fmt
  fold groups head hostid id install join link ln logname ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pr printenv
  printf pwd readlink realpath rm rmdir seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum sync
  tac tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq unlink users vdir wc who whoami yes
  run-parts which cmp diff diff3 sdiff find xargs egrep fgrep grep gunzip gzip zcat hostname awk mawk perl sed tar
  chrt choom fallocate findmnt flock getopt ionice ipcs lscpu lsns mountpoint nsenter prlimit rev setpriv setsid su taskset unshare`);

/** Applets of Alpine's BusyBox 1.37, as far as a script could want them. */
export const alpine = words(`
  sh ash [ [[ awk base64 basename bunzip2 bzcat bzip2 cat chgrp chmod chown cksum cmp comm cp cut date dd df diff dirname du echo egrep env expand
  expr factor fallocate false fgrep find flock fold free fsync getopt grep groups gunzip gzip head hexdump hostname id install ionice kill killall
  less link ln logger ls lzcat lzma md5sum mkdir mkfifo mknod mktemp more mountpoint mv nc nice nl nohup nproc nslookup od paste pgrep pidof ping
  pkill printenv printf ps pwd readlink realpath renice reset rev rm rmdir sed seq setpriv setsid sha1sum sha256sum sha3sum sha512sum shred shuf
  sleep sort split stat strings stty su sum sync tac tail tar tee test time timeout top touch tr tree true truncate tty uname unexpand uniq unlink
  unlzma unshare unxz unzip uptime usleep vi watch wc wget which who whoami xargs xxd xzcat yes zcat`);

/** Of procps, which trixie's postgresql-common brings, as the images show that are built here. */
const procps = words(
  "free pgrep pkill pmap ps pidwait skill slabtop snice sysctl tload top uptime vmstat w watch",
);

/** Of PostgreSQL's own packages; since the majors' folder is on PATH, servers' programs too. */
const postgresql = words(`
  clusterdb createdb createuser dropdb dropuser initdb pg_amcheck pg_archivecleanup pg_basebackup pg_checksums pg_controldata pg_ctl pg_dump
  pg_dumpall pg_isready pg_receivewal pg_recvlogical pg_resetwal pg_restore pg_rewind pg_test_fsync pg_test_timing pg_upgrade pg_verifybackup
  pg_waldump pgbench postgres psql reindexdb vacuumdb ${procps.join(" ")}`);

const barman = words(`
  barman-cloud-backup barman-cloud-backup-delete barman-cloud-backup-keep barman-cloud-backup-list barman-cloud-backup-show
  barman-cloud-check-wal-archive barman-cloud-restore barman-cloud-wal-archive barman-cloud-wal-restore`);

const programs = (major: string): string => `/usr/lib/postgresql/${major}/bin`;

type Operators = Readonly<Partial<Record<Settings["cluster"]["engine"], ImageFacts>>>;
type Servers = Readonly<Record<Settings["cluster"]["engine"], ImageFacts>>;

const distroless = { flavour: "none", tools: [], writable: [] } as const;

export const operators: Operators = {
  cnpg: {
    ...distroless,
    image: "cloudnative-pg/cloudnative-pg",
    source: "cloudnative-pg 1.30.1: Dockerfile (distroless static-debian13, nonroot)",
    user: 65532,
    group: 65532,
    entrypoint: ["/manager"],
  },
  zalando: {
    image: "zalando/postgres-operator",
    source: "postgres-operator 1.15.1: docker/Dockerfile (alpine, curl)",
    user: 1000,
    group: 1000,
    entrypoint: ["/postgres-operator"],
    flavour: "BusyBox",
    tools: [...alpine, "curl"],
    writable: [],
  },
};

export const servers: Servers = {
  cnpg: {
    image: "cloudnative-pg/postgresql",
    source:
      "postgres-containers: Dockerfile, targets minimal and standard (debian trixie-slim, `usermod -u 26`)",
    user: 26,
    path: [programs("<major>")],
    flavour: "GNU",
    tools: [...debian, ...postgresql],
    writable: ["/var/lib/postgresql", "/var/run/postgresql", "/tmp"],
  },
  zalando: {
    image: "zalando/spilo-17",
    source:
      "spilo 4.0-p3: postgres-appliance/Dockerfile (ubuntu 22.04) and build_scripts; the operator has it run as 101:103",
    user: 101,
    group: 103,
    path: [programs("<major>")],
    flavour: "GNU",
    tools: [
      ...debian,
      ...postgresql,
      ...words("python3 curl jq less rsync chpst envdir crontab dumb-init patroni patronictl wal-g etcdctl"),
    ],
    // Ubuntu 22.04's.
    python: { version: "3.10", modules: ["patroni", "psycopg2", "boto3", "botocore", "dateutil"] },
    writable: ["/home/postgres", "/run/etc", "/var/run/postgresql", "/tmp"],
  },
  standalone: {
    image: "library/postgres",
    source:
      "docker-library/postgres: 17/trixie/Dockerfile (debian trixie-slim, gnupg, less, locales, xz-utils, zstd, gosu)",
    user: 999,
    group: 999,
    entrypoint: ["docker-entrypoint.sh"],
    path: [programs("<major>")],
    flavour: "GNU",
    tools: [...debian, ...postgresql, ...words("gosu gpg less locale-gen xz zstd docker-entrypoint.sh")],
    writable: ["/var/lib/postgresql", "/var/run/postgresql", "/tmp"],
  },
};

/** Of images that are the same for every engine. */
export const shared: Readonly<Record<Exclude<keyof Images, "operator" | "postgresql">, ImageFacts>> = {
  pgbouncer: {
    image: "cloudnative-pg/pgbouncer",
    source: "pgbouncer-containers: Dockerfile (debian slim, uid 998, gid 996, the package postgresql-client)",
    user: 998,
    group: 996,
    entrypoint: ["./entrypoint.sh"],
    flavour: "GNU",
    tools: [...debian, ...procps, "getent", "psql", "pgbouncer"],
    writable: ["/var/log/pgbouncer", "/var/run/pgbouncer", "/tmp"],
  },
  pgbouncerExporter: {
    image: "prometheuscommunity/pgbouncer-exporter",
    source: "pgbouncer_exporter 0.12.1: Dockerfile (Prometheus' busybox, USER nobody)",
    user: 65534,
    group: 65534,
    entrypoint: ["/bin/pgbouncer_exporter"],
    flavour: "BusyBox",
    tools: ["sh", "pgbouncer_exporter"],
    writable: ["/tmp"],
  },
  postgresExporter: {
    image: "prometheuscommunity/postgres-exporter",
    source: "postgres_exporter 0.17.1: Dockerfile (Prometheus' busybox, USER nobody)",
    user: 65534,
    group: 65534,
    entrypoint: ["/bin/postgres_exporter"],
    flavour: "BusyBox",
    tools: ["sh", "cksum", "sleep", "postgres_exporter"],
    writable: ["/tmp"],
  },
  objectStore: {
    image: "versity/versitygw",
    source:
      "versitygw 1.8.0: Dockerfile and docker-entrypoint.sh (alpine, root; with arguments it is the program itself)",
    entrypoint: ["/usr/local/bin/docker-entrypoint.sh"],
    flavour: "BusyBox",
    tools: [...alpine, "versitygw"],
    writable: ["/tmp"],
  },
  backupPlugin: {
    ...distroless,
    image: "cloudnative-pg/plugin-barman-cloud",
    source: "plugin-barman-cloud 0.14.0: containers/Dockerfile.plugin (ubi-micro, of which nothing is used)",
    user: 65532,
    group: 65532,
    entrypoint: ["/manager"],
  },
  backupSidecar: {
    ...distroless,
    image: "cloudnative-pg/plugin-barman-cloud-sidecar",
    source:
      "plugin-barman-cloud 0.14.0: containers/Dockerfile.sidecar (distroless python3-debian13: no shell; /venv)",
    user: 26,
    group: 26,
    entrypoint: ["/manager"],
    path: ["/venv/bin"],
    tools: ["python3", ...barman],
    python: {
      version: "3.13",
      modules: ["barman", "boto3", "botocore", "dateutil", "lz4", "psycopg2", "snappy", "zstandard"],
    },
  },
  backupTools: {
    image: "rclone/rclone",
    source: "rclone 1.75.1: Dockerfile (alpine, ca-certificates, fuse3, tzdata; root, WORKDIR /data)",
    entrypoint: ["rclone"],
    flavour: "BusyBox",
    tools: [...alpine, "rclone"],
    writable: ["/tmp"],
  },
  prometheusOperator: {
    image: "prometheus-operator/prometheus-operator",
    source: "prometheus-operator 0.85.0: Dockerfile (Prometheus' busybox, USER 65534)",
    user: 65534,
    group: 65534,
    entrypoint: ["/bin/operator"],
    flavour: "none",
    tools: ["operator"],
    writable: [],
  },
  prometheusConfigReloader: {
    image: "prometheus-operator/prometheus-config-reloader",
    source:
      "prometheus-operator 0.85.0: cmd/prometheus-config-reloader/Dockerfile (Prometheus' busybox, USER nobody)",
    user: 65534,
    group: 65534,
    entrypoint: ["/bin/prometheus-config-reloader"],
    flavour: "none",
    tools: ["prometheus-config-reloader"],
    writable: [],
  },
  prometheus: {
    image: "prometheus/prometheus",
    source: "prometheus 2.53: Dockerfile (Prometheus' busybox, USER nobody, WORKDIR /prometheus)",
    user: 65534,
    group: 65534,
    entrypoint: ["/bin/prometheus"],
    flavour: "BusyBox",
    tools: ["sh", "prometheus", "promtool"],
    writable: ["/prometheus"],
  },
  alertmanager: {
    image: "prometheus/alertmanager",
    source: "alertmanager 0.28: Dockerfile (Prometheus' busybox, USER nobody, WORKDIR /alertmanager)",
    user: 65534,
    group: 65534,
    entrypoint: ["/bin/alertmanager"],
    flavour: "BusyBox",
    tools: ["sh", "alertmanager", "amtool"],
    writable: ["/alertmanager"],
  },
  kubeStateMetrics: {
    image: "kube-state-metrics/kube-state-metrics",
    source: "kube-state-metrics 2.18.0: Dockerfile (distroless static-debian12, USER nobody)",
    user: 65534,
    group: 65534,
    entrypoint: ["/kube-state-metrics", "--port=8080", "--telemetry-port=8081"],
    flavour: "none",
    tools: [],
    writable: [],
  },
  backupRestore: {
    image: "cloudnative-pg/postgresql",
    source: "postgres-containers: Dockerfile, target system (standard, and Barman's cloud tools by pip)",
    user: 26,
    path: [programs("<major>")],
    flavour: "GNU",
    tools: [...debian, ...postgresql, ...barman, "python3"],
    python: {
      version: "3.13",
      modules: ["barman", "boto3", "botocore", "dateutil", "lz4", "snappy", "zstandard"],
    },
    writable: ["/var/lib/postgresql", "/var/run/postgresql", "/tmp"],
  },
};

/** Of the image in a place of the settings. */
export const factsOf = (engine: Settings["cluster"]["engine"], key: keyof Images): ImageFacts | undefined =>
  key === "operator" ? operators[engine] : key === "postgresql" ? servers[engine] : shared[key];
