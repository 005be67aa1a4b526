import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../operations/process";

const program = join(__dirname, "../../local/images/patroni-for-zalando/run.py");

/** What the operator writes into a pod: the variables of its generated StatefulSet that are read. */
const environment = {
  SCOPE: "main",
  POD_IP: "198.18.1.7",
  POD_NAMESPACE: "postgres",
  PGVERSION: "17",
  PGROOT: "/home/postgres/pgdata/pgroot",
  PGUSER_SUPERUSER: "postgres",
  PGPASSWORD_SUPERUSER: "one",
  PGUSER_STANDBY: "standby",
  PGPASSWORD_STANDBY: "two",
  KUBERNETES_SCOPE_LABEL: "cluster-name",
  KUBERNETES_ROLE_LABEL: "spilo-role",
  KUBERNETES_LABELS: '{"application":"spilo"}',
  SSL_CERTIFICATE_FILE: "/tls/tls.crt",
  SSL_PRIVATE_KEY_FILE: "/tls/tls.key",
};

interface Configuration {
  scope: string;
  bootstrap: { dcs: Record<string, unknown>; initdb: unknown[] };
  postgresql: {
    data_dir: string;
    parameters: Record<string, string>;
    pg_hba: string[];
    authentication: Record<string, { username: string; password: string }>;
  };
  kubernetes: Record<string, unknown>;
}

async function configuration(given: object): Promise<Configuration> {
  const env = { ...environment, SPILO_CONFIGURATION: JSON.stringify(given) };
  return JSON.parse((await run("python3", [program, "--print"], { env })).stdout) as Configuration;
}

describe("the program of the image that runs Patroni for the Zalando operator", () => {
  let bare: Configuration;
  let told: Configuration;

  before(async function () {
    const given = {
      postgresql: { parameters: { shared_buffers: "128MB" }, pg_hba: ["local all all peer"] },
      bootstrap: {
        initdb: [{ "auth-host": "scram-sha-256" }, { locale: "en_US.UTF-8" }, "data-checksums"],
        dcs: { ttl: 20, postgresql: { parameters: { work_mem: "4MB" } } },
      },
    };
    try {
      await run("python3", ["--version"]);
    } catch {
      this.skip();
    }
    [bare, told] = await Promise.all([configuration({}), configuration(given)]);
  });

  it("makes Patroni's configuration of the operator's environment", () => {
    const { scope, postgresql, kubernetes } = bare;
    assert.equal(scope, "main");
    assert.equal(postgresql.data_dir, "/home/postgres/pgdata/pgroot/data");
    assert.deepEqual(kubernetes, {
      namespace: "postgres",
      labels: { application: "spilo" },
      scope_label: "cluster-name",
      role_label: "spilo-role",
      leader_label_value: "master",
      standby_leader_label_value: "master",
      follower_label_value: "replica",
      pod_ip: "198.18.1.7",
      ports: [{ port: 5432, name: "postgresql" }],
      use_endpoints: true,
    });
    assert.deepEqual(
      Object.entries(postgresql.authentication).map(([key, { username, password }]) => [
        key,
        username,
        password,
      ]),
      [
        ["superuser", "postgres", "one"],
        ["replication", "standby", "two"],
      ],
    );
    assert.equal(postgresql.parameters.ssl_cert_file, "/tls/tls.crt");
  });

  it("takes no login without TLS and none by trust or md5, even where the operator is told nothing", () => {
    assert.deepEqual(bare.postgresql.pg_hba, [
      "local all all peer",
      "hostssl replication standby all scram-sha-256",
      "hostssl all all all scram-sha-256",
      "hostnossl all all all reject",
    ]);
  });

  it("lays what the operator was given over its own, parameter by parameter", () => {
    const { bootstrap, postgresql } = told;
    assert.deepEqual(bootstrap.initdb, [
      { encoding: "UTF8" },
      { "auth-host": "scram-sha-256" },
      { locale: "en_US.UTF-8" },
      "data-checksums",
    ]);
    const {
      ttl,
      loop_wait,
      postgresql: server,
    } = bootstrap.dcs as {
      ttl: number;
      loop_wait: number;
      postgresql: { use_pg_rewind: boolean; parameters: Record<string, string> };
    };
    assert.deepEqual(
      [ttl, loop_wait, server.use_pg_rewind, server.parameters.work_mem, server.parameters.wal_level],
      [20, 10, true, "4MB", "replica"],
    );
    assert.deepEqual(
      [postgresql.parameters.shared_buffers, postgresql.parameters.ssl, postgresql.pg_hba],
      ["128MB", "on", ["local all all peer"]],
    );
  });

  it("holds a data volume that another process holds, only after that has ended", async () => {
    const folder = await mkdtemp(join(tmpdir(), "volume-"));
    const code = `import sys; sys.path.insert(0, ${JSON.stringify(join(program, ".."))})
from pathlib import Path
import run
lock = run.hold(Path(${JSON.stringify(folder)}))
print("held", flush=True)
sys.stdin.read()`;
    const start = () => {
      const holder = spawn("python3", ["-B", "-c", code], { stdio: ["pipe", "pipe", "inherit"] });
      let said = "";
      holder.stdout.on("data", (text: Buffer) => (said += text.toString()));
      const until = async (word: string) => {
        while (!said.includes(word)) await once(holder.stdout, "data");
      };
      return { holder, until, said: () => said };
    };
    const first = start();
    await first.until("held");
    const second = start();
    await second.until("another container still uses the data volume");
    assert.ok(!second.said().includes("held"));
    first.holder.kill("SIGKILL");
    await second.until("held");
    second.holder.stdin.end();
    await once(second.holder, "close");
    await rm(folder, { recursive: true });
  }).timeout(20_000);
});
