/**
 * Every version that set-up installs, builds or runs, in one file.
 *
 * A Go module's version stands a second time in its `go.mod` (Go insists); `tests/unit/pins.test.ts` holds the two together.
 */
export const pins = {
  /** Tools on the operator's machine. `range` is what a copy on PATH must satisfy to be used as it is. */
  tools: {
    pulumi: { version: "3.230.0", range: ">=3.200.0 <4" },
    kubectl: { version: "1.34.1", range: ">=1.33.0 <1.36.0" },
    pulumiKubernetes: { version: "4.25.0" },
    pulumiRandom: { version: "4.16.7" },
  },
  /** Lowest versions that a machine must bring. */
  prerequisites: { node: "20.19.0", go: "1.26.0" },
  /** What the built-in cluster is made of. */
  kubernetes: { version: "1.34.1", etcd: "3.6.4", coredns: "1.12.1", localPathProvisioner: "0.0.30" },
  operators: { cnpg: "1.30.0" },
  /** Files of the operators' released manifests with their SHA-256 sums, computed from the files in their Go modules. */
  manifests: {
    cnpg: {
      "releases/cnpg-1.30.0.yaml": "f8bede43fe4ee0d478c2355b204a36876b2ae4faac60f2a9452280b293da3b88",
    },
  },
  /** PostgreSQL major of the images that are built here from Debian's packages. */
  postgresMajor: "17",
  debian: "trixie",
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
    pgbouncer: "pgplatform.local/pgbouncer:1.24-1",
    /** psql, pg_dump, Python with psycopg2: health checks, tests, and the storage provisioner's helper pod. */
    client: "pgplatform.local/client:17-1",
    pgbouncerExporter: "pgplatform.local/pgbouncer-exporter:0.10.2-1",
  },
} as const;

export type ImageName = keyof typeof pins.images;
