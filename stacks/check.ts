import * as z from "zod";
import { capabilities, type Engine } from "../components/engine";
import { engines } from "../components/engines";
import { poolerName, rolePrefix } from "../components/names";
import { poolerShares } from "../components/pgbouncer/sums";
import { reservedConnections, withDefaults } from "./defaults";
import { bytesOf, milliCoresOf, postgresBytesOf } from "./quantity";
import { schema, type Settings } from "./schema";

/** One wrong setting: where, what it is, what is allowed, and how to mend it. */
export interface Problem {
  readonly path: string;
  readonly value: unknown;
  readonly allowed: string;
  readonly fix: string;
}

export type Checked = { readonly settings: Settings } | { readonly problems: readonly Problem[] };

const namespace = "pgplatform";
const MiB = 2 ** 20;

const shown = (value: unknown): string => {
  if (value === undefined) return "not set";
  const text = JSON.stringify(value) ?? "not plain data";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

/** The problem as one sentence. */
export const sentence = ({ path, value, allowed, fix }: Problem): string =>
  `${path} is ${shown(value)}, allowed is ${allowed}: ${fix}.`;

/** `pgplatform:cluster.databases[0].name` */
const pathOf = (keys: readonly PropertyKey[]): string =>
  keys.reduce<string>((path, key, index) => {
    if (index === 0) return `${namespace}:${String(key)}`;
    return typeof key === "number" ? `${path}[${key}]` : `${path}.${String(key)}`;
  }, namespace);

const valueAt = (raw: unknown, keys: readonly PropertyKey[]): unknown =>
  keys.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    raw,
  );

interface Hints {
  allowed: string;
  fix: string;
}

const isHints = (meta: unknown): meta is Hints =>
  typeof meta === "object" && meta !== null && "allowed" in meta && "fix" in meta;

/** What the schema says about the setting at a path: its own hints and the keys that it may have. */
function schemaAt(keys: readonly PropertyKey[]): { hints?: Hints; keys?: string[] } {
  let node: unknown = schema;
  let hints: Hints | undefined;
  const unwrap = () => {
    for (;;) {
      const meta: unknown = node instanceof z.ZodType ? node.meta() : undefined;
      if (isHints(meta)) hints = meta;
      if (node instanceof z.ZodOptional || node instanceof z.ZodDefault || node instanceof z.ZodPrefault)
        node = node.unwrap();
      else return;
    }
  };
  unwrap();
  for (const key of keys) {
    if (node instanceof z.ZodObject) node = (node.shape as Record<PropertyKey, unknown>)[key];
    else if (node instanceof z.ZodArray) node = node.element;
    else break;
    hints = undefined;
    unwrap();
  }
  return {
    ...(hints && { hints }),
    ...(node instanceof z.ZodObject && { keys: Object.keys(node.shape) }),
  };
}

function problemsOf(raw: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue) => {
    const at = schemaAt(issue.path);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: pathOf([...issue.path, key]),
        value: valueAt(raw, [...issue.path, key]),
        allowed: `one of ${(at.keys ?? []).join(", ")}`,
        fix: "remove it or correct its spelling",
      }));
    }
    const missing = valueAt(raw, issue.path) === undefined;
    return [
      {
        path: pathOf(issue.path),
        value: valueAt(raw, issue.path),
        allowed: at.hints?.allowed ?? (at.keys ? `an object with ${at.keys.join(", ")}` : issue.message),
        fix: missing ? "set it" : (at.hints?.fix ?? "give it that form"),
      },
    ];
  });
}

/** Reports one problem; `path` is below the namespace. */
type Report = (path: string, value: unknown, allowed: string, fix: string) => void;
type Rule = (settings: Settings, report: Report, engine: Engine) => void;

const twice = (names: readonly string[]): Set<string> =>
  new Set(names.filter((name, index) => names.indexOf(name) !== index));

const instancesAndDurability: Rule = ({ cluster, tier }, report) => {
  const { instances, durability, synchronousStandbys } = cluster;
  if (tier === "prod" && instances < 3)
    report("cluster.instances", instances, "at least 3 in the tier prod", "set 3, or pgplatform:tier to dev");
  if (durability === "async") return;
  if (instances === 1)
    report(
      "cluster.durability",
      durability,
      "async with one instance, since no standby could confirm a commit",
      "set async, or cluster.instances to 3",
    );
  else if (durability === "zero-loss") {
    if (instances === 2)
      report(
        "cluster.durability",
        durability,
        "balanced or async with two instances, since writes would stop whenever the only standby restarts",
        "set cluster.instances to 3, or choose balanced",
      );
    else if (instances % 2 === 0)
      report(
        "cluster.instances",
        instances,
        "an odd number with zero-loss, since one more instance adds nothing to an even quorum",
        `set ${instances - 1} or ${instances + 1}`,
      );
    if (instances > 2 && synchronousStandbys > instances - 2)
      report(
        "cluster.synchronousStandbys",
        synchronousStandbys,
        `at most ${instances - 2} with ${instances} instances, so that one standby may be down`,
        `set ${instances - 2}, or more instances`,
      );
  } else if (synchronousStandbys >= instances)
    report(
      "cluster.synchronousStandbys",
      synchronousStandbys,
      `at most ${instances - 1} with ${instances} instances`,
      `set ${instances - 1}`,
    );
};

const names: Rule = ({ cluster, poolers }, report, engine) => {
  if (cluster.name.length > engine.longestClusterName)
    report(
      "cluster.name",
      cluster.name,
      `at most ${engine.longestClusterName} characters with the engine ${engine.name}`,
      "shorten it",
    );
  poolers.forEach((pooler, index) => {
    const name = poolerName(cluster.name, pooler.name);
    if (name.length > 63)
      report(
        `poolers[${index}].name`,
        pooler.name,
        `short enough for the Service's name ${name}, which has ${name.length} of at most 63 characters`,
        "shorten it or cluster.name",
      );
  });
};

const storage: Rule = ({ cluster, platform }, report) => {
  const { size, walSize, class: storageClass } = cluster.storage;
  if (storageClass === undefined)
    report(
      "cluster.storage.class",
      undefined,
      `a storage class on the platform ${platform}`,
      "name one; `kubectl get storageclass` lists them",
    );
  const least = 1024 * MiB;
  if ((bytesOf(size) ?? 0) < least) report("cluster.storage.size", size, "at least 1Gi", "set 1Gi or more");
  if (walSize !== undefined && (bytesOf(walSize) ?? 0) < least)
    report("cluster.storage.walSize", walSize, "at least 1Gi", "set 1Gi or more, or leave it out");
};

const resources: Rule = ({ cluster }, report) => {
  const { requests, limits } = cluster.resources;
  const request = bytesOf(requests.memory) ?? 0;
  const limit = bytesOf(limits.memory) ?? 0;
  if (request < 256 * MiB)
    report("cluster.resources.requests.memory", requests.memory, "at least 256Mi", "set 256Mi or more");
  if (request !== limit)
    report(
      "cluster.resources.limits.memory",
      limits.memory,
      `the same as the request of ${requests.memory}, so that PostgreSQL is never killed for memory that another pod took`,
      "leave the limit out",
    );
  if ((milliCoresOf(requests.cpu) ?? 0) < 10)
    report("cluster.resources.requests.cpu", requests.cpu, "at least 10m", "set 10m or more");
  if ((milliCoresOf(limits.cpu) ?? 0) < (milliCoresOf(requests.cpu) ?? 0))
    report(
      "cluster.resources.limits.cpu",
      limits.cpu,
      `at least the request of ${requests.cpu}`,
      "raise the limit or lower the request",
    );
  const buffers = cluster.parameters.shared_buffers;
  if (buffers === undefined) return;
  const bytes = postgresBytesOf(String(buffers));
  const most = Math.floor((limit * 0.4) / MiB);
  if (bytes === undefined || bytes > most * MiB)
    report(
      "cluster.parameters.shared_buffers",
      buffers,
      `an amount of memory such as 128MB, at most ${most}MB (40 % of the memory limit)`,
      "lower it, or leave it out: a quarter of the memory limit is the default",
    );
};

const parameters: Rule = ({ cluster }, report, engine) => {
  for (const [name, value] of Object.entries(cluster.parameters)) {
    const owned = Object.entries(engine.ownedParameters).find(([key]) =>
      key.endsWith("*") ? name.startsWith(key.slice(0, -1)) : key === name,
    );
    if (owned) report(`cluster.parameters.${name}`, value, `no value here: ${owned[1]}`, "remove it");
  }
};

const reservedDatabases = ["postgres", "template0", "template1", "pgbouncer", "pgplatform_auth"];
const reservedOwner = (owner: string) =>
  ["postgres", "streaming_replica", "public", "none"].includes(owner) ||
  ["pg_", "cnpg_", rolePrefix].some((prefix) => owner.startsWith(prefix));

const databases: Rule = ({ cluster }, report) => {
  const doubled = twice(cluster.databases.map(({ name }) => name));
  cluster.databases.forEach(({ name, owner }, index) => {
    if (reservedDatabases.includes(name))
      report(
        `cluster.databases[${index}].name`,
        name,
        `any name but ${reservedDatabases.join(", ")}`,
        "rename it",
      );
    if (doubled.has(name))
      report(`cluster.databases[${index}].name`, name, "a name that no other database has", "rename it");
    if (reservedOwner(owner))
      report(
        `cluster.databases[${index}].owner`,
        owner,
        `a role that isn't the server's, the operator's or the platform's (postgres, streaming_replica, pg_…, cnpg_…, ${rolePrefix}…)`,
        "rename it",
      );
  });
};

const poolers: Rule = ({ cluster, poolers }, report) => {
  const doubled = twice(poolers.map(({ name }) => name));
  const known = cluster.databases.map(({ name }) => name);
  poolers.forEach((pooler, index) => {
    const at = (key: string) => `poolers[${index}].${key}`;
    if (doubled.has(pooler.name))
      report(at("name"), pooler.name, "a name that no other pooler has", "rename it");
    if (!known.includes(pooler.database))
      report(
        at("database"),
        pooler.database,
        `one of pgplatform:cluster.databases (${known.join(", ")})`,
        "correct it, or add the database",
      );
    if (pooler.serverConnections < pooler.instances)
      report(
        at("serverConnections"),
        pooler.serverConnections,
        `at least ${pooler.instances}, one for each pod`,
        "raise it",
      );
    if (pooler.poolSize < pooler.instances || pooler.poolSize > pooler.serverConnections)
      report(
        at("poolSize"),
        pooler.poolSize,
        `from ${pooler.instances} (one for each pod) to serverConnections, ${pooler.serverConnections}`,
        "change one of the two",
      );
    if (pooler.maxClients < pooler.serverConnections)
      report(
        at("maxClients"),
        pooler.maxClients,
        `at least serverConnections, ${pooler.serverConnections}`,
        "raise it, or lower serverConnections",
      );
  });
};

const connectionSum: Rule = ({ cluster, poolers }, report) => {
  const pooled = poolers.reduce((sum, pooler) => sum + poolerShares(pooler).serverConnectionsInAll, 0);
  const needed = pooled + reservedConnections;
  if (poolers.length > 0 && needed > cluster.maxConnections)
    report(
      "cluster.maxConnections",
      cluster.maxConnections,
      `at least ${needed}: ${pooled} for the poolers (one login look-up for each pod included) and ${reservedConnections} in reserve`,
      "raise it, or lower the poolers' serverConnections",
    );
};

const clients: Rule = ({ clients, poolers }, report) => {
  const doubled = twice(clients.map(({ name }) => name));
  const known = poolers.map(({ name }) => name);
  clients.forEach((client, index) => {
    if (doubled.has(client.name))
      report(`clients[${index}].name`, client.name, "a name that no other client has", "rename it");
    if (client.pooler === undefined && !client.direct)
      report(
        `clients[${index}].pooler`,
        undefined,
        "the name of a pooler, unless direct is true",
        "name the pooler that the client uses, or set direct to true",
      );
    if (client.pooler !== undefined && !known.includes(client.pooler))
      report(
        `clients[${index}].pooler`,
        client.pooler,
        known.length === 0
          ? "none, since pgplatform:poolers is empty"
          : `one of pgplatform:poolers (${known.join(", ")})`,
        "correct it, or add the pooler",
      );
  });
};

/** Settings that need something which not every engine can do. */
const abilities: Rule = ({ cluster }, report, engine) => {
  const needed: Record<(typeof capabilities)[number], [wanted: boolean, path: string, value: unknown]> = {
    quorumFailover: [cluster.durability === "zero-loss", "cluster.durability", cluster.durability],
    walVolume: [cluster.storage.walSize !== undefined, "cluster.storage.walSize", cluster.storage.walSize],
    zoneSpread: [false, "cluster.instances", cluster.instances],
    severalDatabases: [cluster.databases.length > 1, "cluster.databases", cluster.databases.length],
    podSecurityRestricted: [true, "cluster.engine", cluster.engine],
  };
  for (const capability of capabilities) {
    const ability = engine.can[capability];
    const [wanted, path, value] = needed[capability];
    if (wanted && ability !== true)
      report(path, value, `what the engine ${engine.name} can do, and ${ability.because}`, ability.instead);
  }
};

const rules: readonly Rule[] = [
  names,
  instancesAndDurability,
  storage,
  resources,
  parameters,
  databases,
  poolers,
  connectionSum,
  clients,
  abilities,
];

/** Checks the relations between settings that each hold their form. */
export function checkRelations(settings: Settings, engine: Engine): Problem[] {
  const problems: Problem[] = [];
  for (const rule of rules)
    rule(
      settings,
      (path, value, allowed, fix) => problems.push({ path: `${namespace}:${path}`, value, allowed, fix }),
      engine,
    );
  return problems;
}

/**
 * Parses and checks the settings of a stack: every problem at once. The relations between settings are checked only
 * when each setting has its form, since they would make no sense before. Pure: no cluster is asked.
 */
export function check(raw: unknown): Checked {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) return { problems: problemsOf(raw, parsed.error.issues) };
  const settings = withDefaults(parsed.data);
  const problems = checkRelations(settings, engines[settings.cluster.engine]);
  return problems.length > 0 ? { problems } : { settings };
}
