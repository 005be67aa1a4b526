import assert from "node:assert/strict";
import { client } from "./kit/clients";
import { makeNetwork } from "./kit/network";
import { type PoolerInput, Stack } from "./kit/stack";

type Findings = Readonly<Record<string, string | number>>;

/** With one server connection each session finds what the one before left there. */
const single = { instances: 1, serverConnections: 1, poolSize: 1 };

describe("what sessions ask for and leave", () => {
  before(makeNetwork);

  async function findings(own: Partial<PoolerInput>): Promise<Findings> {
    const stack = await Stack.start({ ...single, ...own });
    try {
      return await client<Findings>("session", [], stack.environment());
    } finally {
      await stack.end();
    }
  }

  it("by default: what PostgreSQL doesn't report is refused, and SET reaches the next client", async () => {
    assert.deepEqual(await findings({}), {
      application_name: "shop",
      extra_float_digits: "1",
      IntervalStyle: "iso_8601",
      default_transaction_read_only: "refused",
      search_path: "refused",
      statement_timeout: "refused",
      options: "refused",
      "SET of another": "1234ms",
      "temporary table of another": "1",
      "advisory lock of another": "1",
      "prepared again": 10,
    });
  });

  it("with resetSessions and tracked and ignored parameters: nothing of another client stays", async () => {
    assert.deepEqual(
      await findings({
        tuning: {
          resetSessions: "always",
          trackStartupParameters: ["IntervalStyle", "default_transaction_read_only"],
          ignoreStartupParameters: ["search_path", "statement_timeout", "options"],
        },
      }),
      {
        application_name: "shop",
        extra_float_digits: "1",
        IntervalStyle: "iso_8601",
        default_transaction_read_only: "on",
        search_path: '"$user", public',
        statement_timeout: "0",
        options: "0",
        "SET of another": "0",
        "temporary table of another": "0",
        "advisory lock of another": "0",
        "prepared again": 10,
      },
    );
  });

  it("in the mode session: nothing of another client stays", async () => {
    const {
      "SET of another": set,
      "temporary table of another": table,
      "advisory lock of another": lock,
    } = await findings({
      mode: "session",
    });
    assert.deepEqual({ set, table, lock }, { set: "0", table: "0", lock: "0" });
  });
});
