/** The clients of the suite, and what is expected of each. */

/** What a session asks of its connection; the names are those that the clients' programs print. */
export const features = {
  prepared: "prepared statements",
  searchPath: "`search_path` when it connects",
  set: "`SET`",
  temporaryTables: "temporary tables",
  advisoryLocks: "advisory locks of a session",
  listen: "`LISTEN`",
  copy: "COPY",
} as const;

export type Feature = keyof typeof features;

/** How a feature is found: `works`, or what happens in place of it. A driver that has no means for it isn't asked. */
export type Finding = "works" | "refused" | "silent" | "reaches the next client" | "stays";

export interface DriverFacts {
  readonly versions: string;
  /** What it has no means for. */
  readonly without: readonly (Feature | "cancels")[];
  /** Whether its prepared statements break by a change of the schema. */
  readonly breaks: boolean;
}

export const drivers = {
  psycopg: { versions: "psycopg 3.3.9, psycopg_pool 3.3.3", without: [], breaks: true },
  asyncpg: { versions: "asyncpg 0.32.0", without: [], breaks: true },
  django: {
    versions: "Django 5.2.19, psycopg 3.3.9",
    without: ["prepared", "listen", "copy", "cancels"],
    breaks: false,
  },
  "node-pg": { versions: "pg 8.23.1", without: [], breaks: true },
  drizzle: {
    versions: "Drizzle 0.45.4, pg 8.23.1",
    without: ["searchPath", "listen", "copy", "cancels"],
    breaks: false,
  },
  prisma: {
    versions: "Prisma 7.10.0, pg 8.23.1",
    without: ["searchPath", "listen", "copy", "cancels"],
    breaks: false,
  },
  pgx: { versions: "pgx 5.12.0", without: [], breaks: true },
  pgjdbc: { versions: "pgjdbc 42.7.14, HikariCP 7.1.0", without: [], breaks: true },
} as const satisfies Record<string, DriverFacts>;

export type DriverName = keyof typeof drivers;
export const driverNames = Object.keys(drivers) as DriverName[];

/** With one server connection each session finds what the one before left there. */
export const single = { instances: 1, serverConnections: 1, poolSize: 1 };

/** What is found through a pooler in transaction mode, as it is by default. */
export const pooled: Readonly<Record<Feature, Finding>> = {
  prepared: "works",
  searchPath: "refused",
  set: "reaches the next client",
  temporaryTables: "reaches the next client",
  advisoryLocks: "stays",
  listen: "silent",
  copy: "works",
};

/** What a client's program prints, as a finding; what is unknown stays as it is and fits nowhere. */
export function finding(feature: Feature, text: string): string {
  if (text.includes("unsupported startup parameter")) return "refused";
  const right: Record<Feature, string> = {
    prepared: "10",
    searchPath: "pg_catalog",
    set: "0",
    temporaryTables: "0",
    advisoryLocks: "0",
    listen: "true",
    copy: "3",
  };
  if (text.toLowerCase() === right[feature]) return "works";
  const otherwise: Partial<Record<Feature, Readonly<Record<string, Finding>>>> = {
    set: { "1234ms": "reaches the next client" },
    temporaryTables: { "1": "reaches the next client" },
    advisoryLocks: { "1": "stays" },
    listen: { false: "silent" },
  };
  return otherwise[feature]?.[text.toLowerCase()] ?? text;
}

const short: Readonly<Record<Finding, string>> = {
  works: "works",
  refused: "refused",
  silent: "silent",
  "reaches the next client": "next client",
  stays: "stays",
};

/** The table on docs/drivers.md, by driver: what these tests expect, and so what they have found wherever they pass. */
export function driversTable(): string[][] {
  const columns = Object.keys(features) as Feature[];
  return driverNames.map((name) => {
    const { versions, without, breaks }: DriverFacts = drivers[name];
    return [
      versions,
      ...columns.map((feature) => (without.includes(feature) ? "–" : short[pooled[feature]])),
      without.includes("cancels") ? "–" : "arrive",
      breaks ? "`RECONNECT`" : "works",
      "waits",
    ];
  });
}
