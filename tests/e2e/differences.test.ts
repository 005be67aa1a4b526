import assert from "node:assert/strict";
import type { KubeObject } from "../../operations/kubectl";
import { operatorOf } from "../../operations/liveCheck";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { secretNames } from "../../plan/names";
import { secretValue } from "./kit/clients";
import { environment, stackName, type Environment } from "./kit/environment";
import { withoutTime } from "./kit/make";
import { ChangedStack, type Edit } from "./kit/settings";
import { say, until } from "./kit/wait";

/**
 * What differs between Kubernetes clusters, as far as this machine has it: nodes with taints and labels, a PriorityClass, a database with a locale of its own, a
 * logical slot that follows a switchover, and network policies that are gone.
 *
 * Only with DIFFERENCES=1: all nodes are tainted meanwhile. Not proved: OpenShift, Cilium, NodeLocal DNSCache, IPv6, huge pages, EKS.
 */
const suite = process.env.DIFFERENCES === "1" ? describe : describe.skip;

const CLASS = "e2e-database";
const SLOT = "cdc";
const wanted = {
  nodeSelector: { "e2e-pool": "db" },
  toleration: { key: "e2e-dedicated", operator: "Equal", value: "postgres", effect: "NoSchedule" },
};

suite("differences between clusters (three nodes of one machine, images built here)", () => {
  let env: Environment;
  let stack: ChangedStack;
  let nodes: string[];

  const scheduled: Edit = (settings) => {
    settings.scheduling = {
      nodeSelector: wanted.nodeSelector,
      tolerations: [{ key: "e2e-dedicated", value: "postgres", effect: "NoSchedule" }],
      priorityClassName: CLASS,
    };
  };
  const withDatabase =
    (locale: string): Edit =>
    ({ cluster }) => {
      cluster.databases = [...cluster.databases, { name: "synapse", owner: "synapse", locale }];
    };
  const withCapture: Edit = ({ cluster }) => {
    cluster.roles = [
      ...(cluster.roles ?? []),
      { name: "debezium", replication: true, memberOf: ["pg_read_all_data"] },
    ];
  };

  const onNodes = (...args: string[]) =>
    env.kubectl.run([...args.slice(0, 1), "nodes", ...nodes, ...args.slice(1)]);

  before(async function () {
    env = await environment();
    if (env.engine.name !== "cnpg") this.skip();
    stack = await ChangedStack.open();
    const { stdout } = await env.kubectl.run(["get", "nodes", "-o", "name"]);
    nodes = stdout
      .trim()
      .split("\n")
      .map((name) => name.replace("node/", ""));
    await env.kubectl.apply({
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: CLASS },
      value: 1000,
    });
    await onNodes("label", "--overwrite", "e2e-pool=db");
    await onNodes("taint", "--overwrite", "e2e-dedicated=postgres:NoSchedule");
  });

  after(async () => {
    if (nodes === undefined) return;
    await onNodes("taint", "e2e-dedicated=postgres:NoSchedule-");
    await onNodes("label", "e2e-pool-");
    await stack.write([]);
    const { exitCode } = await stack.make("up");
    await stack.close();
    const primary = await env.cluster.primary();
    await env.cluster.sql(
      primary,
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${SLOT}'`,
    );
    await env.cluster.sql(
      primary,
      "drop database if exists synapse; drop role if exists synapse; drop role if exists debezium",
    );
    await env.kubectl.run(["delete", "priorityclass", CLASS, "--ignore-not-found"]);
    assert.equal(exitCode, 0);
  });

  it("`make up` moves every pod to the nodes that the settings name, and asks whether policies are enforced", async () => {
    await stack.write([scheduled, withDatabase("C"), withCapture]);
    const { exitCode, lines } = await stack.make("up");
    assert.equal(exitCode, 0);
    const said = lines.map(withoutTime).join("\n");
    assert.match(said, /a pod that nothing lists reaches neither the primary nor a pooler/);
    assert.doesNotMatch(said, /warning: network policies/);

    const operator = operatorOf(env.settings)?.namespace ?? "";
    const pods = [
      ...(await env.kubectl.list("pods", env.settings.cluster.namespace, "")),
      ...(await env.kubectl.list("pods", operator, "")),
    ];
    assert.ok(pods.length >= 7, String(pods.length));
    for (const { metadata, spec } of pods) {
      const { nodeSelector, tolerations, priorityClassName, nodeName } = spec as {
        nodeSelector?: object;
        tolerations: object[];
        priorityClassName?: string;
        nodeName?: string;
      };
      assert.deepEqual(nodeSelector, wanted.nodeSelector, metadata.name);
      assert.ok(
        tolerations.some(
          (one) =>
            JSON.stringify(Object.entries(one).sort()) ===
            JSON.stringify(Object.entries(wanted.toleration).sort()),
        ),
        `${metadata.name} ${JSON.stringify(tolerations)}`,
      );
      assert.equal(priorityClassName, CLASS, metadata.name);
      assert.ok(nodeName, metadata.name);
    }
  });

  it("a database has the locale that its settings name, the first one too", async () => {
    const primary = await env.cluster.primary();
    const of = (name: string) =>
      env.cluster.value(
        primary,
        `select datcollate, datctype, datlocprovider, pg_encoding_to_char(encoding) from pg_database where datname = '${name}'`,
      );
    assert.equal(await of("synapse"), "C|C|c|UTF8");
    const [first] = env.settings.cluster.databases;
    const own = first?.locale;
    say(`the first database: ${await of(first?.name ?? "")}`);
    assert.match(
      await of(first?.name ?? ""),
      own === undefined ? /\|b\|UTF8$/ : new RegExp(`^${own}\\|${own}\\|c\\|UTF8$`),
    );
  });

  it("another locale for it is refused before anything is touched", async () => {
    await stack.write([scheduled, withDatabase("C.UTF-8"), withCapture]);
    const { exitCode, lines } = await stack.make("up");
    assert.notEqual(exitCode, 0);
    assert.match(
      lines.join("\n"),
      /databases\[1\]\.locale: "C\.UTF-8" is not allowed\. Allowed: C, which the database has since it was made\./,
    );
  });

  it("a slot of the role follows a switchover, with the rows that were written before it", async () => {
    const { cluster, settings } = env;
    const { namespace, name } = settings.cluster;
    const database = settings.cluster.databases[0]?.name ?? "";
    const password = await secretValue(
      env.kubectl,
      namespace,
      secretNames.role(name, "debezium"),
      "password",
    );
    const as = async (statement: string, mode = ""): Promise<string> =>
      cluster.exec(await cluster.primary(), [
        "env",
        `PGPASSWORD=${password}`,
        "psql",
        "-XAtq",
        "-v",
        "ON_ERROR_STOP=1",
        `host=${env.plan.endpoints.primary.service} dbname=${database} user=debezium sslmode=require${mode}`,
        "-c",
        statement,
      ]);
    // A walsender with a database decodes; one without copies the server, which no rule lets this role do.
    assert.match(await as("IDENTIFY_SYSTEM", " replication=database"), new RegExp(`\\|${database}$`, "m"));
    await assert.rejects(as("IDENTIFY_SYSTEM", " replication=yes"));

    await as(`select pg_create_logical_replication_slot('${SLOT}', 'test_decoding', false, false, true)`);
    const primary = await cluster.primary();
    await cluster.sql(primary, "create table if not exists capture (id int primary key)", database);
    const standbys = (await cluster.names()).filter((one) => one !== primary);
    let id = 0;
    // A standby takes the slot over once the primary's has moved past what the standby has.
    for (const standby of standbys)
      await until(`${standby} has the slot`, 120, async () => {
        await cluster.sql(primary, `insert into capture values (${++id})`, database);
        await as(`select count(*) from pg_logical_slot_get_changes('${SLOT}', null, null)`);
        const [row = "no slot"] = await cluster.sql(
          standby,
          `select synced and not temporary and invalidation_reason is null from pg_replication_slots where slot_name = '${SLOT}'`,
        );
        return row === "t" ? { done: undefined } : { why: row };
      });
    assert.deepEqual(
      (await cluster.value(primary, "show synchronized_standby_slots"))
        .split(",")
        .map((one) => one.trim())
        .sort(),
      standbys.map((one) => `_cnpg_${one.replaceAll("-", "_")}`).sort(),
    );

    await cluster.sql(
      primary,
      "insert into capture select 100000 + i from generate_series(1, 50) i",
      database,
    );
    const [next = ""] = standbys;
    const status = {
      targetPrimary: next,
      targetPrimaryTimestamp: new Date().toISOString(),
      phase: "Switchover in progress",
      phaseReason: `Switching over to ${next}`,
    };
    await env.kubectl.run([
      ...["-n", namespace, "patch", cluster.resource, name, "--subresource=status", "--type=merge"],
      ...["-p", JSON.stringify({ status })],
    ]);
    await until(`${next} is the primary`, 180, async () => {
      const { primary: now } = await cluster.view();
      return now === next ? { done: undefined } : { why: String(now) };
    });
    await cluster.waitHealthy();
    const changes = await as(`select data from pg_logical_slot_get_changes('${SLOT}', null, null)`);
    const seen = new Set([...changes.matchAll(/INSERT: id\[integer\]:(10\d{4})/g)].map(([, one]) => one));
    assert.equal(seen.size, 50, changes.slice(0, 400));
    await as(`select pg_drop_replication_slot('${SLOT}')`);
    await cluster.sql(next, "drop table capture", database);
  });

  it("where no policy holds, the last check says so loudly, and it leaves no pod", async () => {
    const { namespace } = env.settings.cluster;
    const health = async (): Promise<string> => {
      const { stdout } = await run(
        "node",
        ["--import", "tsx", "operations/cli.ts", "health", "--stack", stackName],
        { cwd: projectDir },
      );
      return stdout;
    };
    await env.kubectl.run(["-n", namespace, "delete", "networkpolicies", "--all"]);
    await until("the warning", 120, async () => {
      const said = await health();
      return /warning: network policies are not enforced .* has reached main-pooler-app\.\S+:5432 and main-rw\.\S+:5432\. /.test(
        said,
      )
        ? { done: undefined }
        : { why: said.slice(-300) };
    });
    await stack.write([scheduled, withDatabase("C"), withCapture]);
    assert.equal((await stack.make("up")).exitCode, 0);
    assert.match(await health(), /a pod that nothing lists reaches neither/);
    const left: KubeObject[] = await env.kubectl.list("pods", namespace, "pgplatform.io/role=stranger");
    assert.deepEqual(
      left.filter(({ metadata }) => !("deletionTimestamp" in metadata)),
      [],
    );
  });
});
