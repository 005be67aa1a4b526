/**
 * The variables of containers that may hold a secret, each with the reason. A variable can be read by processes of the same user in the same container, by
 * the node's root, and by those who may `kubectl exec`: the Secret itself is open to the last two. A command line is no place for a secret at all.
 */

interface Allowed {
  readonly variable: RegExp;
  readonly why: string;
}

/** Given by `secretKeyRef` in what the platform plans: a unit test finds each in the golden stacks, and no other. */
export const planned: readonly Allowed[] = [
  {
    variable: /^PGBOUNCER_EXPORTER_CONNECTION_STRING$/,
    why: "pgbouncer_exporter takes its connection string by this variable or on its command line",
  },
  {
    variable: /^PGPASSWORD$/,
    why: "libpq takes a password from its environment, or from a file in a form of its own, which no Secret here has",
  },
  {
    variable: /^RCLONE_CONFIG_TARGET\d+_SECRET_ACCESS_KEY$/,
    why: "rclone takes a remote by variables, or out of one file with all that is told of it",
  },
  {
    variable: /^AWS_SECRET_ACCESS_KEY$/,
    why: "Spilo, WAL-G and Barman's tools take the key of a store by these variables",
  },
  {
    variable: /^ROOT_SECRET_ACCESS_KEY$/,
    why: "versitygw takes its own key by these variables or on its command line",
  },
  {
    variable: /^ARCHIVE_SECRET_ACCESS_KEY$/,
    why: "boto, which Barman's tools speak to a store with, takes a key from the environment; store.py gives it to each of them",
  },
  {
    variable: /^ORIGIN_SECRET_ACCESS_KEY$/,
    why: "as ARCHIVE_…, of the store that a cluster is restored from",
  },
];

/** Given by an operator to the pods that it makes: there on this engine, or the row goes. */
export const byOperator: readonly (Allowed & { readonly engine: string })[] = [
  {
    engine: "zalando",
    variable: /^PGPASSWORD_SUPERUSER$/,
    why: "the operator gives Patroni its superuser's password so, and its image takes nothing else",
  },
  {
    engine: "zalando",
    variable: /^PGPASSWORD_STANDBY$/,
    why: "the operator gives Patroni the password of replication so, and its image takes nothing else",
  },
];

/** Set by a program for a command that it runs, for as long as that takes: one look may miss them. */
export const brief: readonly (Allowed & {
  readonly containers: readonly string[];
  /** Scripts of ours that set it. @default - a program that isn't ours does */
  readonly scripts?: readonly string[];
})[] = [
  {
    variable: /^PGPASSWORD$/,
    containers: ["pgbouncer", "logins", "client", "vacuum", "reloader", "config-reloader", "sql"],
    scripts: [
      "plan/pooler/hold.sh",
      "plan/monitoring/scripts/logins.sh",
      "plan/loginCheck.sh",
      "plan/maintenance.sh",
      "plan/secrets/reload.sh",
      "plan/postgres/sql/apply.sh",
    ],
    why: "psql is told the password of a mounted Secret that it tries, by its own environment",
  },
  {
    variable: /^AWS_SECRET_ACCESS_KEY$/,
    containers: ["plugin-barman-cloud"],
    why: "the Barman Cloud plugin reads the key out of Kubernetes' API and gives it to each barman-cloud command so",
  },
  {
    variable: /^AWS_SECRET_ACCESS_KEY$/,
    containers: ["archiver", "restore", "store"],
    scripts: ["plan/engines/standalone/pod/store.py"],
    why: "Barman's tools take the key of a store so; store.py gives it to each that it runs",
  },
];

/** A variable of a container with the name of the Secret that it is out of. */
export interface Declared {
  readonly variable: string;
  readonly secret: string;
}

/** The variables that a value's containers, or a custom resource in their place, take out of Secrets. */
export function declaredIn(value: unknown): Declared[] {
  if (typeof value !== "object" || value === null) return [];
  const own = value as { readonly env?: unknown };
  const env = Array.isArray(own.env) ? (own.env as unknown[]) : [];
  const here = env.flatMap((one) => {
    const { name, valueFrom } = one as {
      name?: string;
      valueFrom?: { secretKeyRef?: { name?: string } };
    };
    const secret = valueFrom?.secretKeyRef?.name;
    return name === undefined || secret === undefined ? [] : [{ variable: name, secret }];
  });
  return [...here, ...Object.values(value).flatMap((inner) => declaredIn(inner))];
}

/** Whether a container may have a secret in a variable: one that it takes out of this very Secret, or that a command in it is given for a moment. */
export function mayHold(
  variable: string,
  container: { readonly name: string; readonly declared: readonly Declared[] } | undefined,
  /** Keys of Secrets that have the value, as a hit names them, of the container's own namespace. */
  secrets: readonly string[],
): boolean {
  const table = [...planned, ...byOperator];
  const listed = table.some((row) => row.variable.test(variable));
  // The pod has gone, and what it declared with it.
  if (container === undefined) return listed;
  const { name, declared } = container;
  return (
    (listed && declared.some((one) => one.variable === variable && secrets.includes(one.secret))) ||
    brief.some((row) => row.variable.test(variable) && row.containers.includes(name))
  );
}
