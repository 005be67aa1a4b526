/** What the catalogue of metrics is made of: groups of columns that one query gives, whatever the engine and its exporter. */

export const majors = [15, 16, 17, 18] as const;
export type Major = (typeof majors)[number];

/** What the end of a metric's name says; a flag is 0 or 1. */
export type Unit = "seconds" | "bytes" | "ratio" | "timestamp" | "count" | "flag" | "any";

export interface Column {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly unit: Unit;
}

export interface Label {
  readonly name: string;
  readonly help: string;
}

/** How dear a query is, and for how many seconds an exporter that can keep rows keeps its: a second Prometheus, or a shorter interval, costs nothing then. */
export const cacheSeconds = { cheap: 0, moderate: 25, expensive: 110 } as const;
export type Cost = keyof typeof cacheSeconds;

/** What a query's text depends on beside the server. */
export interface QueryContext {
  readonly major: Major;
  /** Most tables, and most indexes, of one database that have series of their own. */
  readonly largest: number;
  /** Most statements with series of their own; 0: none is counted. */
  readonly statements: number;
  /** Queries of the settings, and the tables that they wait for. */
  readonly queries: readonly {
    readonly name: string;
    readonly databases: readonly string[];
    readonly tables: readonly string[];
  }[];
  /** The plan, as labels and numbers. */
  readonly facts: Facts;
}

/** What the settings ask for, for alerts that compare it with what is there. */
export interface Facts {
  readonly engine: string;
  /** Version of the platform. */
  readonly version: string;
  readonly tier: string;
  /** Short digest of the settings without their secrets. */
  readonly settings: string;
  readonly instances: number;
  readonly synchronousStandbys: number;
  readonly rpoSeconds: number;
  readonly backups: boolean;
  readonly poolers: number;
  readonly credentialVersion: number;
  /** Roles whose passwords another owner than the stack has. */
  readonly sourcedRoles: readonly string[];
}

export interface Group {
  /** Its metrics are named `pgplatform_<name>_<column>`; without a name `pgplatform_<column>`. */
  readonly name: string;
  readonly about: string;
  readonly labels: readonly Label[];
  readonly columns: readonly Column[];
  /** Run once, in the database postgres, or in each database of the settings, whose name is the label `database` then. */
  readonly where: "server" | "database";
  /** Instances that have rows. */
  readonly on: "all" | "primary" | "standby";
  readonly cost: Cost;
  /** Most rows of one run. @default - as many as the server has databases, states and the like */
  readonly limit?: (context: QueryContext) => number;
  /** Databases that it runs in. @default - by `where` */
  readonly databases?: readonly string[];
  /** Tables and views that may be missing, or that pg_monitor may not read: there are no rows then. */
  readonly needs?: readonly string[];
  /** Condition beside that, such as a loaded library; without it there are no rows. */
  readonly when?: string;
  /** Columns named and ordered as labels, then columns. @default - undefined where this version of PostgreSQL, or the settings, have none */
  readonly sql: (context: QueryContext) => string | undefined;
}

const column =
  (type: Column["type"], unit: Unit) =>
  (name: string, help: string): Column => ({ name, help, type, unit });

export const gauge = column("gauge", "count");
export const seconds = column("gauge", "seconds");
export const bytes = column("gauge", "bytes");
export const ratio = column("gauge", "ratio");
export const flag = column("gauge", "flag");
export const timestamp = column("gauge", "timestamp");
export const total = column("counter", "count");
export const totalSeconds = column("counter", "seconds");
export const totalBytes = column("counter", "bytes");

/** Labels that stand in more than one group. */
export const database: Label = { name: "database", help: "database" };
export const schema: Label = { name: "schema", help: "schema" };
export const table: Label = { name: "table", help: "table" };

export const prefix = "pgplatform";
export const groupName = ({ name }: Pick<Group, "name">): string =>
  name === "" ? prefix : `${prefix}_${name}`;
export const metricName = (group: Pick<Group, "name">, { name }: Pick<Column, "name">): string =>
  `${groupName(group)}_${name}`;
