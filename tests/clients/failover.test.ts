import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { begin, type Written } from "./kit/clients";
import { makeNetwork } from "./kit/network";
import { Stack } from "./kit/stack";

/** How long nothing takes writes. */
const AWAY_SECONDS = 5;
const WRITERS = 10;
const drivers = ["psycopg", "asyncpg"];

describe("a failover, seen by real clients", () => {
  let stack: Stack;
  before(async () => {
    await makeNetwork();
  });
  beforeEach(async () => {
    stack = await Stack.start();
    stack.servers.primary.psql(
      "CREATE TABLE written (row text PRIMARY KEY); ALTER TABLE written OWNER TO app",
      {
        database: "app",
      },
    );
  });
  afterEach(() => stack.end());

  /** Each session that had a statement under way sees its end; that and nothing else may fail. */
  function assertWaited(driver: string, { errors, gap, logins, acknowledged }: Written): void {
    const told = `${driver}: ${JSON.stringify({ errors, gap, logins, rows: acknowledged.length })}`;
    console.log(`      ${told}`);
    const refused = Object.keys(errors).filter((error) => error.includes("server_login_retry"));
    assert.deepEqual(refused, [], told);
    const failures = Object.values(errors).reduce((sum, count) => sum + count, 0);
    assert.ok(failures <= WRITERS + 2, told);
  }

  async function through(fault: () => Promise<void>): Promise<void> {
    const clients = drivers.map((driver) =>
      begin<Written>("write", [driver, String(WRITERS)], stack.environment()),
    );
    await delay(4000);
    await fault();
    await delay(4000);
    const outcomes = await Promise.all(clients.map((one) => one.end()));
    const { standby, primary } = stack.servers;
    const now = standby.psql("SELECT pg_is_in_recovery()").trim() === "f" ? standby : primary;
    const rows = new Set(now.psql("SELECT row FROM written", { database: "app" }).trim().split("\n"));
    outcomes.forEach((outcome, index) => {
      const lost = outcome.acknowledged.filter((row) => !rows.has(row));
      assert.deepEqual(lost, [], "acknowledged and lost");
      assertWaited(drivers[index] ?? "", outcome);
    });
  }

  it("lets clients wait while a killed primary's Service has no endpoint, and go on at the new one", () =>
    through(async () => {
      const { primary, standby } = stack.servers;
      primary.stop("immediate");
      await stack.leadTo();
      await delay(AWAY_SECONDS * 1000);
      standby.psql("SELECT pg_promote()");
      await stack.leadTo(standby);
    }));

  it("lets clients wait while the server is restarted in place", () =>
    through(async () => {
      const { primary } = stack.servers;
      primary.stop("fast");
      await delay(AWAY_SECONDS * 1000);
      primary.start();
    }));

  it("lets clients wait while the Service still leads to the old primary, which is a standby now", () =>
    through(async () => {
      const { primary, standby } = stack.servers;
      primary.stop("fast");
      standby.psql("SELECT pg_promote()");
      primary.becomeStandby();
      primary.start();
      await delay(AWAY_SECONDS * 1000);
      await stack.leadTo(standby);
    }));
});
