import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { poolerName, serviceHost } from "../../plan/names";
import { pins } from "../../releases/pins";
import { plannedCluster } from "../../operations/health";
import { destructive } from "../../operations/plannedSteps";
import { givenUp } from "../../operations/stuck";
import { needs } from "./kit/ability";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces, startClients, type Clients } from "./kit/fixture";
import { loadRenamedImage, renamedImage } from "./kit/images";
import { withoutTime } from "./kit/make";
import { liveReaders } from "../../plan/engines/select";
import { damage, disturbance, type Seen } from "./kit/observation";
import { secretValue } from "./kit/clients";
import { ChangedStack, type Edit } from "./kit/settings";
import { table } from "./kit/statistics";
import { say, until } from "./kit/wait";

/**
 * Settings are changed with `make up` while one client writes directly and one through the pooler. Asserted: what the plan
 * says, that nothing with data is replaced, that nothing acknowledged is lost, that the change has its effect. The pauses are
 * printed. Each change is laid over the ones before; the last one takes all of them back.
 *
 * Not proven here: that another minor version of PostgreSQL starts on the data (the other image is the same one under another
 * name). Larger volumes are a suite of their own, since they can't be taken back.
 */
/** All of them take about 15 minutes; a few are enough for every run of the end-to-end tests. */
const long = process.env.CHANGES === "all" ? it : it.skip;
/** How long a bad update may take to be given up: the patience with a missing image, the roll's way to it, and Pulumi's work. */
const GIVEN_UP_SECONDS = 180;

describe("changes (three nodes of one machine, images built here, the other image is the same under another name)", () => {
  let env: Environment;
  let clients: Clients;
  let stack: ChangedStack;
  const edits: Edit[] = [];
  const pauses: (readonly string[])[] = [];

  before(async () => {
    env = await environment();
    clients = await startClients(env);
    stack = await ChangedStack.open();
  });

  after(async () => {
    await stack.write([]);
    await stack.make("up");
    await stack.close();
    const primary = await env.cluster.primary();
    await env.cluster.sql(primary, "drop database if exists changes_extra");
    await env.cluster.sql(primary, "drop role if exists changes_owner");
    await clients.direct.query(env.plan.endpoints.primary.host, "drop schema if exists oracle cascade");
    await deleteNamespaces(env, clients.namespaces);
    say("");
    table(["change: pause in seconds, errors", "direct", "errors", "pooled", "errors"], pauses)
      .split("\n")
      .forEach(say);
  });

  /** An answer that every instance gives. */
  const byAll = (answer: string): string[] =>
    Array.from({ length: env.settings.cluster.instances }, () => answer);

  const ask = async (statement: string): Promise<string[]> =>
    Promise.all((await env.cluster.names()).map((pod) => env.cluster.value(pod, statement)));

  /** Names and ids of what holds data. */
  async function holdsData(): Promise<string[]> {
    const { namespace } = env.settings.cluster;
    const path = "{range .items[*]}{.kind}/{.metadata.name}={.metadata.uid} {end}";
    const kinds = `${env.cluster.resource},persistentvolumeclaims`;
    const { stdout } = await env.kubectl.run(["-n", namespace, "get", kinds, "-o", `jsonpath=${path}`]);
    return stdout.trim().split(" ").sort();
  }

  function record(name: string, { gap, errors }: Seen): void {
    const cells = [
      gap.direct.toFixed(2),
      String(errors.direct),
      gap.pooled.toFixed(2),
      String(errors.pooled),
    ];
    pauses.push([name, ...cells]);
    say(`${name}: ${gap.direct.toFixed(2)} s direct, ${gap.pooled.toFixed(2)} s pooled`);
  }

  /** Makes a change under writers; asserts what holds for every change. Returns what `make preview` and `make up` said. */
  async function change(options: {
    name: string;
    /** Laid over the edits so far; undefined takes all of them back. */
    edit: Edit | undefined;
    /** Whether clients of the pooler wait through it, and see no error. @default false */
    held?: boolean;
  }): Promise<{ steps: string[]; notes: string[]; said: string; seen: Seen }> {
    if (options.edit === undefined) edits.length = 0;
    else edits.push(options.edit);
    await stack.write(edits);
    const { steps, notes } = await stack.planned();
    assert.ok(steps.length > 0, "the change is planned");
    // A Job can't be changed: another one takes its place.
    const losing = steps.filter(
      (step) => (step.includes("replace") && !step.includes("kubernetes:batch/v1:Job ")) || losesData(step),
    );
    assert.deepEqual(losing, [], "nothing is replaced, nothing with data is deleted");
    const before = await holdsData();
    let said = "";
    const held = options.held === true && liveReaders[env.engine.name].rolling !== undefined;
    const work = async () => {
      const { exitCode, lines } = await stack.make("up");
      said = lines.map(withoutTime).join("\n");
      assert.equal(exitCode, 0, "`make up` ends well");
    };
    const seen = await disturbance(env, clients, work, undefined, held ? { patience: 120 } : {});
    record(options.name, seen);
    if (held) {
      assert.equal(seen.errors.pooled, 0, "clients of the pooler see no error");
      assert.match(said, /clients of the poolers waited for/);
    }
    assert.deepEqual(damage(seen), []);
    assert.deepEqual(await holdsData(), before, "the cluster and its volumes are the ones from before");
    return { steps, notes, said, seen };
  }

  /** The sentences of a refused `make up`, which must have touched nothing. */
  async function refused(edit: Edit): Promise<string[]> {
    await stack.write([...edits, edit]);
    const fingerprint = async () => ({
      state: JSON.stringify(await env.stack.resources()),
      objects: await holdsData(),
      version: ((await env.cluster.object()).metadata as { archiveId?: number }).archiveId,
    });
    const before = await fingerprint();
    const { exitCode, lines } = await stack.make("up");
    assert.notEqual(exitCode, 0);
    assert.deepEqual(await fingerprint(), before, "nothing was touched");
    return lines.map(withoutTime).filter((line) => line.startsWith("error: "));
  }

  it("that can't be made are refused before anything is touched: volumes that shrink or can't grow, an unknown class", async () => {
    const size =
      (text: string, storageClass?: string): Edit =>
      (settings) => {
        settings.cluster.storage = { size: text, ...(storageClass !== undefined && { class: storageClass }) };
      };
    const errors = await refused(size("1Gi", "no-such-class"));
    assert.match(errors.join("\n"), /storage\.class: "no-such-class" is not allowed\. Allowed: one of /);
    assert.match(
      errors.join("\n"),
      /storage\.size: "1Gi" is not allowed\. Allowed: at least 2Gi, which the volumes have/,
    );
    assert.match(
      (await refused(size("4Gi"))).join("\n"),
      /storage\.size: "4Gi" is not allowed\. Allowed: 2Gi, since the storage class/,
    );
  });

  it("of a parameter that is reloaded restart nothing", async () => {
    const started = await ask("select pg_postmaster_start_time()");
    const { notes, seen } = await change({
      name: "parameter, reloaded",
      edit: ({ cluster }) => (cluster.parameters = { log_min_duration_sample: "5s" }),
    });
    assert.match(notes.join("\n"), /parameters log_min_duration_sample: reloaded, nothing restarts/);
    assert.deepEqual(await ask("show log_min_duration_sample"), byAll("5s"));
    assert.deepEqual(await ask("select pg_postmaster_start_time()"), started);
    assert.deepEqual(seen.errors, { direct: 0, pooled: 0 });
  });

  long(
    "of a parameter that needs a restart roll the instances, the primary last, while clients of the pooler wait where the engine can have them",
    async () => {
      const { notes } = await change({
        name: "parameter, restart",
        held: true,
        edit: ({ cluster }) =>
          (cluster.parameters = { ...cluster.parameters, track_activity_query_size: "2kB" }),
      });
      assert.match(
        notes.join("\n"),
        /parameters track_activity_query_size: the (instances|server) restarts?/,
      );
      assert.deepEqual(await ask("show track_activity_query_size"), byAll("2kB"));
    },
  );

  long("of a pooler's settings roll its pods, and the database notices nothing", async () => {
    const started = await ask("select pg_postmaster_start_time()");
    const { steps, seen } = await change({
      name: "pooler",
      edit: ({ poolers }) => {
        for (const pooler of poolers ?? [])
          pooler.tuning = { ...pooler.tuning, serverIdleTimeoutSeconds: 200 };
      },
    });
    assert.ok(steps.some((step) => /^update .*:Deployment .*pooler/.test(step)));
    assert.deepEqual(await ask("select pg_postmaster_start_time()"), started);
    assert.equal(seen.errors.direct, 0);
  });

  long("that add a database and its owner restart nothing", async () => {
    const { seen, steps } = await change({
      name: "database and role added",
      edit: ({ cluster }) => cluster.databases.push({ name: "changes_extra", owner: "changes_owner" }),
    });
    assert.ok(steps.some((step) => /^create /.test(step)));
    const primary = await env.cluster.primary();
    const owner = "select pg_get_userbyid(datdba) from pg_database where datname = 'changes_extra'";
    assert.equal(await env.cluster.value(primary, owner), "changes_owner");
    assert.deepEqual(seen.errors, { direct: 0, pooled: 0 });
  });

  long("that give the certificate another name renew it on the servers that run", async function () {
    const { tls, endpoints } = env.plan;
    if (tls.issuer === "engine") {
      say(`excluded with the engine ${env.engine.name}, whose operator renews its certificates by itself`);
      return this.skip();
    }
    const started = await ask("select pg_postmaster_start_time()");
    const signed = async () => {
      const { secretName, certificateKey } = tls.server;
      const pem = await secretValue(env.kubectl, env.settings.cluster.namespace, secretName, certificateKey);
      return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
    };
    const former = await signed();
    const [pooler] = env.settings.poolers;
    assert.ok(pooler);
    const { seen } = await change({
      name: "certificate",
      edit: ({ poolers }) =>
        poolers?.push({ name: "changes", database: pooler.database, serverConnections: 2, poolSize: 2 }),
    });
    const wanted = await signed();
    assert.notEqual(wanted, former);
    const hosts = [
      [clients.direct, endpoints.primary.host],
      ...(env.settings.cluster.instances > 1 ? [[clients.direct, endpoints.standbys.host] as const] : []),
      [
        clients.pooled,
        serviceHost(poolerName(env.settings.cluster.name, pooler.name), env.settings.cluster.namespace),
      ],
    ] as const;
    // The kubelet renews what is mounted within about a minute; a Service may lead to another pod each time.
    for (const [client, host] of hosts)
      await until(`the new certificate at ${host}`, 180, async () => {
        const shown: string[] = [];
        for (let i = 0; i < 4; i++)
          shown.push((await client.exec(["python3", "-c", SERVED, host])).stdout.trim());
        return shown.every((one) => one === wanted)
          ? { done: undefined }
          : { why: "the former one is shown" };
      });
    assert.deepEqual(await ask("select pg_postmaster_start_time()"), started, "no server restarted");
    assert.equal(seen.errors.direct, 0);
  });

  describe("of the image", () => {
    before(async function () {
      if (long === it.skip || env.settings.platform !== "local") return this.skip();
      await loadRenamedImage(env.settings);
    });

    long("roll the instances, the primary last, by a switchover", async () => {
      const { notes } = await change({
        name: "image",
        held: true,
        edit: (settings) =>
          (settings.images = { ...settings.images, postgresql: renamedImage(env.settings) }),
      });
      assert.match(notes.join("\n"), /image .*-renamed instead of /);
      assert.deepEqual(await images(env), [renamedImage(env.settings)]);
    });

    long("together with parameters are made in two updates", async () => {
      const { said } = await change({
        name: "image and parameter",
        edit: (settings) => {
          settings.images = { ...settings.images, postgresql: env.settings.images.postgresql };
          settings.cluster.parameters = { ...settings.cluster.parameters, log_min_duration_sample: "6s" };
        },
      });
      assert.match(said, /two updates: the image after the parameters[^]*first update[^]*second update/);
      assert.deepEqual(await images(env), [env.settings.images.postgresql]);
      assert.deepEqual(await ask("show log_min_duration_sample"), byAll("6s"));
    });

    long(
      "to one that isn't there fail with the reason, writes continue where there is a standby, and the old settings converge by themselves",
      async () => {
        const before = await holdsData();
        const missing = env.settings.images.postgresql.replace(/:.*/, ":17-missing");
        const seen = await disturbance(env, clients, async (watch) => {
          await stack.write([
            ...edits,
            (settings) => {
              settings.images = { ...settings.images, postgresql: missing };
              settings.cluster.parameters = {
                ...settings.cluster.parameters,
                log_min_duration_sample: "7s",
              };
            },
          ]);
          const failed = await stack.make("up");
          assert.notEqual(failed.exitCode, 0);
          const text = failed.lines.join("\n");
          assert.match(
            text,
            /error: Pod \S+ has not started for 60 s: container (postgres|config-reloader|sql) waits with (ErrImagePull|ImagePullBackOff)/,
          );
          assert.ok(text.includes(missing), "the image is named");
          const last = failed.lines.findLast((line) => !line.startsWith("make: ")) ?? "";
          assert.ok(last.includes(givenUp([])[0] ?? "nothing"), "the last line says what to do");
          say(`given up after ${failed.seconds.toFixed(0)} s`);
          assert.ok(failed.seconds < GIVEN_UP_SECONDS, `it took ${failed.seconds} s`);
          if (env.engine.can.standbys === true) await watch.waitForMore(60);

          await stack.write(edits);
          const repaired = await stack.make("up");
          assert.equal(repaired.exitCode, 0, "the old settings converge");
          assert.match(
            repaired.lines.join("\n"),
            /two updates: the parameters after the image/,
            "nothing would roll to the missing image",
          );
        });
        record("missing image, and back", seen);
        assert.deepEqual(damage(seen), []);
        assert.deepEqual(await holdsData(), before);
      },
    );
  });

  long(
    "of a pooler to an image that isn't there fail with the reason; sessions continue through the old pods",
    async () => {
      const seen = await disturbance(env, clients, async (watch) => {
        const missing = pins.images.pgbouncer.replace(/:.*/, ":missing");
        await stack.write([
          ...edits,
          (settings) => (settings.images = { ...settings.images, pgbouncer: missing }),
        ]);
        const failed = await stack.make("up");
        assert.notEqual(failed.exitCode, 0);
        assert.match(
          failed.lines.join("\n"),
          /error: Pod \S+ has not started .*container pgbouncer .*:missing/,
        );
        assert.ok(failed.seconds < GIVEN_UP_SECONDS, `it took ${failed.seconds} s`);
        await watch.waitForMore(60);
        await stack.write(edits);
        assert.equal((await stack.make("up")).exitCode, 0, "the old settings converge");
      });
      record("pooler's missing image, and back", seen);
      assert.deepEqual(damage(seen), []);
      assert.deepEqual(seen.errors, { direct: 0, pooled: 0 });
    },
  );

  long(
    "of the number of instances, to five and back, restart no instance that stays, and keep their volumes",
    async function () {
      needs(this, env, "standbys");
      // Five don't fit on three nodes while each must have its own: that is refused, and a preference is set first.
      assert.match(
        (await refused(({ cluster }) => (cluster.instances = 5))).join("\n"),
        /cluster\.instances: 5 is not allowed\. Allowed: at most 3, each on a node of its own/,
      );
      await change({ name: "spread preferred", edit: ({ cluster }) => (cluster.spread = "preferred") });
      const before = await holdsData();
      const started = await env.cluster.starts();
      const seen = await disturbance(env, clients, async () => {
        await stack.write([...edits, ({ cluster }) => (cluster.instances = 5)]);
        assert.equal((await stack.make("up")).exitCode, 0);
        await env.cluster.waitHealthy(300, { instances: 5, synchronous: true });
        const kept = (await env.cluster.starts()).filter((line) => started.includes(line));
        assert.deepEqual(kept, started, "the three of before were not restarted");
        await stack.write(edits);
        assert.equal((await stack.make("up")).exitCode, 0);
      });
      record("5 instances and back", seen);
      assert.deepEqual(damage(seen), []);
      const after = await holdsData();
      const more = after.filter((line) => !before.includes(line));
      assert.deepEqual(
        after.filter((line) => !more.includes(line)),
        before,
        "the volumes of before",
      );
      const { keepsVolumes = false } = plannedCluster(env).shape;
      assert.equal(more.length, keepsVolumes ? 2 : 0, `as the plan says of further ones: ${more.join()}`);
      const claims = more.map((line) =>
        line.replace(/^PersistentVolumeClaim\/(.*)=.*$/, "persistentvolumeclaim/$1"),
      );
      if (claims.length > 0)
        await env.kubectl.run(["-n", env.settings.cluster.namespace, "delete", ...claims]);
    },
  );

  it("back to the tree's settings end with an empty preview", async () => {
    await change({ name: "all taken back", edit: undefined });
    assert.deepEqual((await stack.planned()).steps, []);
  });
});

/** Prints the SHA-256 of the certificate that a server of PostgreSQL's protocol shows. */
const SERVED = `
import hashlib, socket, ssl, struct, sys
plain = socket.create_connection((sys.argv[1], 5432), 10)
plain.sendall(struct.pack("!ii", 8, 80877103))
assert plain.recv(1) == b"S"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
print(hashlib.sha256(context.wrap_socket(plain).getpeercert(True)).hexdigest())
`;

/** Whether a step of a preview, as a line, deletes data. */
function losesData(line: string): boolean {
  const [op = "", type = ""] = line.split(" ");
  return destructive([{ op, urn: `urn:pulumi:stack::project::${type}::name` }]).length > 0;
}

/** Images of the instances, each once. */
async function images({ cluster }: Environment): Promise<string[]> {
  const pods = await cluster.instances();
  const names = pods.map(
    ({ spec }) =>
      (spec as { containers?: { name: string; image: string }[] } | undefined)?.containers?.find(
        ({ name }) => name === "postgres",
      )?.image ?? "",
  );
  return [...new Set(names)];
}
