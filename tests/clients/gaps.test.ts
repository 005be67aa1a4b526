import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stateDir } from "../../shell/paths";
import { median } from "../e2e/kit/statistics";
import type { Server } from "../sql/servers";
import { begin, type Written } from "./kit/clients";
import { type DriverName, driverNames } from "./kit/drivers";
import { makeNetwork } from "./kit/network";
import { Stack } from "./kit/stack";

/**
 * Every driver by its recipe, through a pooler and directly, side by side through each fault. It compares them with each other: how long the servers are away is
 * the test's own choice, and no figure of a cluster.
 */

const ROUNDS = Number(process.env.CLIENTS_ROUNDS ?? 3);
const WORKERS = 2;
/** How long nothing takes writes. */
const AWAY_MS = 5000;
/** Until a client that doesn't write is given up. */
const PATIENCE_MS = 60_000;
const ways = ["pooler", "primary"] as const;
type Way = (typeof ways)[number];

interface Sample {
  readonly fault: string;
  readonly round: number;
  readonly driver: DriverName;
  readonly through: Way;
  /** Longest time without an acknowledgement, in seconds. */
  readonly gap: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly rows: number;
  readonly lost: number;
  readonly returned: boolean;
  /** Runnable processes of the machine in the minute before. */
  readonly load: number;
}

/** Each breaks something, and tells which server takes writes then. */
const faults: Readonly<Record<string, (stack: Stack) => Promise<Server>>> = {
  "primary killed, standby promoted": async (stack) => {
    const { primary, standby } = stack.servers;
    primary.stop("immediate");
    await stack.leadTo();
    await delay(AWAY_MS);
    standby.psql("SELECT pg_promote()");
    await stack.leadTo(standby);
    return standby;
  },
  "server restarted in place": async (stack) => {
    const { primary } = stack.servers;
    primary.stop("fast");
    await delay(AWAY_MS);
    primary.start();
    return primary;
  },
  "Service leads to the old primary, a standby now": async (stack) => {
    const { primary, standby } = stack.servers;
    primary.stop("fast");
    standby.psql("SELECT pg_promote()");
    primary.becomeStandby();
    primary.start();
    await delay(AWAY_MS);
    await stack.leadTo(standby);
    return standby;
  },
  "pod of the pooler leaves": async (stack) => {
    const [leaving] = stack.running;
    assert.ok(leaving);
    await stack.remove(leaving, (pod) => pod.kill("SIGTERM"));
    return stack.servers.primary;
  },
  "pod of the pooler killed": async (stack) => {
    const [killed] = stack.running;
    assert.ok(killed);
    await stack.remove(killed, (pod) => pod.kill("SIGKILL"));
    return stack.servers.primary;
  },
};

const nameOf = (driver: DriverName, through: Way) => `${driver} ${through}`;
const all = ways.flatMap((through) => driverNames.map((driver) => ({ driver, through })));
const samples: Sample[] = [];

/** Rows by client. */
const counts = (server: Server): ReadonlyMap<string, number> =>
  new Map(
    server
      .psql("SELECT split_part(row, ':', 1), count(*) FROM written GROUP BY 1", { database: "app" })
      .trim()
      .split("\n")
      .map((line) => line.split("|"))
      .map(([client = "", count]) => [client, Number(count)]),
  );

/** Clients that have written since, once all have, or at the end of patience. */
async function returned(server: Server, since: ReadonlyMap<string, number>): Promise<ReadonlySet<string>> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const now = counts(server);
    const back = new Set([...now.keys()].filter((name) => (now.get(name) ?? 0) > (since.get(name) ?? 0)));
    if (back.size === all.length || Date.now() > until) return back;
    await delay(200);
  }
}

async function round(
  fault: string,
  number: number,
  strike: (stack: Stack) => Promise<Server>,
): Promise<void> {
  const [load = 0] = loadavg();
  const stack = await Stack.start();
  try {
    stack.servers.primary.psql(
      "CREATE TABLE written (row text PRIMARY KEY); ALTER TABLE written OWNER TO app",
      { database: "app" },
    );
    const clients = all.map(({ driver, through }) => ({
      driver,
      through,
      program: begin<Written>("pooled", [driver, String(WORKERS)], {
        ...stack.environment(through),
        // As the Deployment on docs/connect.md sets it: recipes don't rest on it.
        PGCONNECT_TIMEOUT: "5",
        CLIENT: nameOf(driver, through),
      }),
    }));
    for (const { program } of clients) await program.line();
    await delay(2000);
    const server = await strike(stack);
    const back = await returned(server, counts(server));
    await delay(1000);
    const outcomes = await Promise.all(clients.map(({ program }) => program.end()));
    const rows = new Set(server.psql("SELECT row FROM written", { database: "app" }).trim().split("\n"));
    clients.forEach(({ driver, through }, index) => {
      const { acknowledged = [], errors = {}, gap = Infinity } = outcomes[index] ?? {};
      samples.push({
        ...{ fault, round: number, load, driver, through, gap, errors, rows: acknowledged.length },
        lost: acknowledged.filter((row) => !rows.has(row)).length,
        returned: back.has(nameOf(driver, through)),
      });
    });
  } finally {
    await stack.end();
  }
}

const gapsOf = (fault: string, driver: DriverName, through: Way): number[] =>
  samples
    .filter((one) => one.fault === fault && one.driver === driver && one.through === through)
    .map(({ gap }) => gap);
const isPooler = (fault: string): boolean => fault.startsWith("pod of the pooler");
const errorsOf = ({ errors }: Sample): number => Object.values(errors).reduce((sum, count) => sum + count, 0);

function table(fault: string): string {
  const lines = all.map(({ driver, through }) => {
    const gaps = gapsOf(fault, driver, through);
    const errors = samples
      .filter((one) => one.fault === fault && one.driver === driver && one.through === through)
      .map(errorsOf);
    return `      ${nameOf(driver, through).padEnd(18)} gap ${median(gaps).toFixed(1)} (${gaps.map((gap) => gap.toFixed(1)).join(" ")}) s, errors ${errors.join(" ")}`;
  });
  return lines.join("\n");
}

describe("how long clients notice a fault, by their recipes", () => {
  before(makeNetwork);
  after(() => {
    const folder = join(stateDir, "clients");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "gaps.json");
    writeFileSync(
      file,
      `${JSON.stringify({ at: new Date().toISOString(), processors: cpus().map(({ model }) => model), samples }, null, 1)}\n`,
    );
    console.log(`      samples: ${file}`);
  });

  for (const [fault, strike] of Object.entries(faults))
    it(`${fault}: nothing is lost, all come back by themselves, psycopg_pool and HikariCP as soon as pgx`, async () => {
      for (let number = 1; number <= ROUNDS; number++) await round(fault, number, strike);
      console.log(table(fault));
      const mine = samples.filter((one) => one.fault === fault);
      assert.deepEqual(
        mine.filter(({ lost }) => lost > 0),
        [],
      );
      assert.deepEqual(
        mine.filter((one) => !one.returned),
        [],
      );
      // One error for each session that had a statement under way, and what came in the moment before the pooler noticed.
      const most = isPooler(fault) ? Infinity : WORKERS + 2;
      const many = mine.filter((one) => one.through === "pooler" && errorsOf(one) > most);
      assert.deepEqual(many, []);
      // In one round all meet the same machine.
      const pgx = gapsOf(fault, "pgx", "pooler");
      for (const driver of ["psycopg", "pgjdbc"] as const) {
        const later = gapsOf(fault, driver, "pooler").map((gap, index) => gap - (pgx[index] ?? 0));
        assert.ok(median(later) <= 1, `${driver} is later than pgx by ${later.join(" ")} s`);
      }
    });
});
