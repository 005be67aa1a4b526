import assert from "node:assert/strict";
import { environment, type Environment } from "./kit/environment";
import { type Clients, deleteNamespaces, startClients } from "./kit/fixture";

/** How long a client or a server takes nothing. */
const PAUSE_SECONDS = 8;
/** More than all buffers on the way hold. */
const ROWS = 60_000;

/**
 * Through the first pooler: a client that stops reading, and a server that stops taking a COPY. TCP sees neither acknowledge anything new, as if the other
 * end had vanished. It proves nothing about a node that does vanish: the faults do.
 */
describe("slow readers and slow servers (the running stack's pooler)", () => {
  let env: Environment;
  let clients: Clients;
  before(async () => {
    env = await environment();
    clients = await startClients(env);
  });
  after(async () => {
    const { direct, namespaces } = clients;
    await direct.query(
      env.plan.endpoints.primary.host,
      "drop table if exists e2e_slow; drop function if exists e2e_pause()",
    );
    await deleteNamespaces(env, namespaces);
  });

  const shell = (script: string) =>
    clients.pooled.exec(["env", `PGHOST=${env.pooler.host}`, "bash", "-c", `set -o pipefail; ${script}`], {
      allowFailure: true,
    });

  it("lets a client read on that has paused in the middle of its rows", async () => {
    const copy = `copy (select repeat('x', 1000) from generate_series(1, ${ROWS})) to stdout`;
    const { exitCode, stdout, stderr } = await shell(
      `psql -Xqc "${copy}" | (read -r first; sleep ${PAUSE_SECONDS}; wc -l)`,
    );
    assert.equal(exitCode, 0, stderr);
    assert.equal(Number(stdout), ROWS - 1);
  });

  it("lets a COPY end whose server has paused in the middle of its rows", async () => {
    const { direct } = clients;
    const primary = env.plan.endpoints.primary.host;
    await direct.query(primary, "create table e2e_slow (id int not null, text text not null)");
    await direct.query(
      primary,
      "create function e2e_pause() returns trigger language plpgsql as " +
        `'begin perform pg_sleep(${PAUSE_SECONDS}); return new; end'`,
    );
    await direct.query(
      primary,
      "create trigger pause before insert on e2e_slow for each row when (new.id = 10) execute function e2e_pause()",
    );
    const rows = `for ((id = 1; id <= ${ROWS}; id++)); do echo "$id,$text"; done`;
    const { exitCode, stderr } = await shell(
      `text=$(printf 'x%.0s' {1..1000}); (${rows}) | psql -Xqc "copy e2e_slow from stdin (format csv)"`,
    );
    assert.equal(exitCode, 0, stderr);
    assert.equal(await direct.query(primary, "select count(*) from e2e_slow"), String(ROWS));
  });
});
