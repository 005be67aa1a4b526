import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../shell/process";

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
  bootstrap: {
    dcs: Record<string, unknown>;
    initdb: unknown[];
    method?: string;
    clone?: { command: string; time?: string; fetch: string };
  };
  postgresql: {
    data_dir: string;
    parameters: Record<string, string>;
    pg_hba: string[];
    authentication: Record<string, { username: string; password: string }>;
    recovery_conf?: { restore_command: string };
  };
  kubernetes: Record<string, unknown>;
}

async function configuration(given: object, more: object = {}): Promise<Configuration> {
  const env = { ...environment, ...more, SPILO_CONFIGURATION: JSON.stringify(given) };
  return JSON.parse((await run("python3", ["-B", program, "--print"], { env })).stdout) as Configuration;
}

/** What a stack with a backup adds to that. */
const archive = {
  WALG_S3_PREFIX: "s3://backups/postgres/main/aaaaaaaaaa",
  WALG_COMPRESSION_METHOD: "brotli",
  WALG_S3_CA_CERT_FILE: "/stores/near/ca.crt",
  AWS_REGION: "eu-1",
  AWS_ENDPOINT: "https://store:7070",
  AWS_S3_FORCE_PATH_STYLE: "true",
  AWS_ACCESS_KEY_ID: "identifier",
  AWS_SECRET_ACCESS_KEY: "hunter22",
};
const clone = {
  CLONE_METHOD: "CLONE_WITH_WALE",
  ...Object.fromEntries(Object.entries(archive).map(([name, value]) => [`CLONE_${name}`, value])),
  CLONE_WALG_S3_PREFIX: "s3://backups/postgres/old/bbbbbbbbbb",
};

/** What Python prints, with the image's modules at hand. */
async function python(code: string, env: Record<string, string> = {}): Promise<string> {
  const start = `import sys; sys.path.insert(0, ${JSON.stringify(join(program, ".."))})\nimport archive, json, os, run\n`;
  return (await run("python3", ["-B", "-c", start + code], { env })).stdout.trim();
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
lock = run.held(Path(${JSON.stringify(folder)}))
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

  describe("archives and restores with Barman's cloud tools, not with WAL-G", () => {
    const place = "s3://backups/postgres/main aaaaaaaaaa";

    it("where the environment for WAL-G says, compressed as near to it as Barman can", async () => {
      const { postgresql, bootstrap } = await configuration({}, archive);
      assert.equal(
        postgresql.parameters.archive_command,
        `envdir /run/etc/wal-e.d/env barman-cloud-wal-archive --zstd --endpoint-url https://store:7070 --addressing-style path ${place} "%p"`,
      );
      assert.deepEqual(postgresql.recovery_conf, {
        restore_command: `envdir /run/etc/wal-e.d/env timeout 0 /scripts/restore_command.sh "%f" "%p"`,
      });
      const hosts = await configuration({}, { ...archive, AWS_S3_FORCE_PATH_STYLE: "" });
      assert.match(hosts.postgresql.parameters.archive_command ?? "", / --addressing-style virtual /);
      assert.equal(bootstrap.method, undefined);
      assert.equal(bare.postgresql.parameters.archive_command, "/bin/true");
      for (const [method, option] of [
        ["lz4", "--lz4 "],
        ["zstd", "--zstd "],
        ["none", ""],
      ] as const) {
        const told = await configuration({}, { ...archive, WALG_COMPRESSION_METHOD: method });
        assert.match(
          told.postgresql.parameters.archive_command ?? "",
          new RegExp(`wal-archive ${option}--endpoint`),
        );
      }
    });

    it("with keys that are in no command and no configuration, only in files of the user's own", async () => {
      assert.doesNotMatch(JSON.stringify(await configuration({}, { ...archive, ...clone })), /hunter22/);
      const folder = await mkdtemp(join(tmpdir(), "envdir-"));
      const said = await python(
        `from pathlib import Path
folder = Path(${JSON.stringify(folder)}) / "env"
for turn in range(2):
    archive.write_environment(folder, archive.told(os.environ))
print(json.dumps({file.name: [oct(file.stat().st_mode & 0o777), file.read_text()] for file in sorted(folder.iterdir())}))`,
        archive,
      );
      await rm(folder, { recursive: true });
      const files = JSON.parse(said) as Record<string, [string, string]>;
      assert.deepEqual([...new Set(Object.values(files).map(([mode]) => mode))], ["0o600"]);
      const value = (name: string) => files[name]?.[1];
      assert.deepEqual(
        [value("AWS_SECRET_ACCESS_KEY"), value("AWS_CA_BUNDLE"), value("AWS_DEFAULT_REGION")],
        ["hunter22", "/stores/near/ca.crt", "eu-1"],
      );
      assert.equal(value("AWS_REQUEST_CHECKSUM_CALCULATION"), "when_required");
    });

    it("from another archive where a cluster is made from one, with the limit that fetching WAL has", async () => {
      const limit = { WAL_RESTORE_TIMEOUT: "7" };
      const { bootstrap, postgresql } = await configuration({}, { ...archive, ...clone, ...limit });
      assert.equal(bootstrap.method, "clone");
      const { command, fetch, time } = bootstrap.clone!;
      assert.match(command, /^envdir \/run\/etc\/wal-e\.d\/env-clone python3 .*archive\.py restore$/);
      assert.equal(
        fetch,
        'envdir /run/etc/wal-e.d/env-clone timeout 7 /scripts/restore_command.sh "%f" "%p"',
      );
      assert.equal(postgresql.recovery_conf?.restore_command, fetch.replace("env-clone", "env"));
      assert.equal(time, undefined);
      const moment = "2026-01-31T23:59:00+00:00";
      const until = await configuration({}, { ...archive, ...clone, CLONE_TARGET_TIME: moment });
      assert.equal(until.bootstrap.clone?.time, moment);
    });

    it("from the newest base backup that was in the store before the moment", async () => {
      const chosen = await python(`from datetime import datetime
backups = [{"backup_id": "one"}, {"backup_id": "two"}]
came = {"one": "2026-01-01T00:00:00+00:00", "two": "2026-01-02T00:00:00+01:00"}
at = lambda one: datetime.fromisoformat(came[one["backup_id"]])
choose = lambda moment: archive.choose(backups, moment and datetime.fromisoformat(moment), at)
print(json.dumps([choose(None), choose("2026-01-01T23:00:00+00:00"), choose("2026-01-01T23:00:01+00:00"), choose("2025-12-31T00:00:00+00:00")]))`);
      assert.deepEqual(JSON.parse(chosen), ["two", "one", "two", null]);
    });

    it("makes a base backup where the primary soon is, for an hour, and the others by the schedule", async () => {
      const said = await python(`from datetime import datetime, timedelta, timezone
from pathlib import Path
began = datetime(2026, 1, 1, tzinfo=timezone.utc)
started = []
backups = run.BaseBackups(Path("DATA"), lambda now: now + timedelta(hours=1), began, lambda command: started.append(" ".join(command)) or 1)
seen = [list(started)]
for minutes in (0, 59, 60, 61, 119, 121):
    del started[:]
    backups.attend(began + timedelta(minutes=minutes))
    seen.append(list(started))
print(json.dumps(seen))`);
      const making = "envdir /run/etc/wal-e.d/env /scripts/postgres_backup.sh DATA";
      assert.deepEqual(JSON.parse(said.split("\n").at(-1) ?? ""), [
        [`/scripts/patroni_wait.sh 3600 ${making}`],
        [],
        [],
        [making],
        [],
        [],
        [making],
      ]);
    });

    it("waits for that where another instance leads, and gives up in the end", async () => {
      const folder = await mkdtemp(join(tmpdir(), "wait-"));
      const script = join(program, "../patroni_wait.sh");
      const waited = async (answer: string) => {
        await writeFile(join(folder, "psql"), `#!/bin/sh\necho ${answer}\n`, { mode: 0o755 });
        return run(script, ["0", "echo", "made"], {
          env: { PATH: `${folder}:${process.env.PATH}` },
          allowFailure: true,
        });
      };
      const [leads, follows] = [await waited("t"), await waited("f")];
      await rm(folder, { recursive: true });
      assert.deepEqual([leads.exitCode, leads.stdout], [0, "made\n"]);
      assert.deepEqual([follows.exitCode, follows.stdout], [2, ""]);
    });
  });
});
