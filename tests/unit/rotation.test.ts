import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { loginCheck } from "../../plan/loginCheck";
import { poolerPlan } from "../../plan/pooler/plan";
import { credentialOf, credentialsOf, wantedRoles } from "../../plan/postgres/roles";
import { rotationOf, type Rotation } from "../../plan/postgres/rotation";
import { scriptsOf } from "../../plan/postgres/sql/scripts";
import { live as reader } from "../../plan/engines/cnpg/live";
import { type Kubectl } from "../../operations/kubectl";
import { clientsIn, inUse, oldLogins, waitUntilUnused } from "../../operations/oldLogins";
import { run } from "../../shell/process";
import { rotationOverlay, stagesBefore } from "../../operations/rotation";
import type { SettingsInput } from "../../settings/schema";
import { type Graph, mockPassword } from "../support/graph";
import { shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { sentences } from "../support/rich";
import { changed, checked, smallest } from "../support/settings";

/** The plans of a rotation, stage by stage; that clients notice nothing is shown by tests/e2e/rotation.test.ts. */
const input = (): SettingsInput => ({
  ...smallest(),
  poolers: [{ name: "p", database: "app" }],
  clients: [
    { name: "shop", namespace: "shop", labels: { app: "shop" }, pooler: "p", binding: { copySecret: true } },
  ],
});
const at = (credentialVersion: number, stage: Rotation["stage"] = "only") =>
  changed(input(), "rotation", { credentialVersion, stage });

/** `<name>: LOGIN from <Secret> …` */
const rolesAt = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    wantedRoles(checked(value)).map(({ name, login, secretName, passwordless, memberOf, actsAs }) => [
      name,
      [
        login ? "login" : "no login",
        passwordless ? "no password" : `password ${secretName ?? "kept"}`,
        ...(memberOf.length > 0 ? [`in ${memberOf.join()}`] : []),
        ...(actsAs === undefined ? [] : [`as ${actsAs}`]),
      ].join(", "),
    ]),
  );

describe("rotation of passwords", () => {
  describe("the roles", () => {
    it("are as ever in the first credential version", () => {
      assert.deepEqual(rolesAt(at(1)), {
        app: "login, password main-app",
        pgp_admin: "login, password main-admin",
        pgp_pooler: "login, password main-pooler-auth",
        pgp_health: "login, password main-health, in pg_checkpoint",
      });
    });

    it("get their second login beside the first, whose password stays", () => {
      for (const stage of ["added", "handed-out"] as const)
        assert.deepEqual(rolesAt(at(2, stage)), {
          app: "login, password kept",
          app_b: "login, password main-app.2, in app, as app",
          pgp_admin: "login, password kept",
          pgp_admin_b: "login, password main-admin.2, in pgp_admin, as pgp_admin",
          pgp_pooler: "login, password kept",
          pgp_pooler_b: "login, password main-pooler-auth.2, in pgp_pooler, as pgp_pooler",
          pgp_health: "login, password main-health, in pg_checkpoint",
        });
    });

    it("lose the first at the end, and take turns from then on", () => {
      const appAt = (credentialVersion: number, stage?: Rotation["stage"]) => {
        const { app, app_b } = rolesAt(at(credentialVersion, stage));
        return [app, app_b];
      };
      assert.deepEqual(appAt(2), ["no login, no password", "login, password main-app.2, in app, as app"]);
      assert.deepEqual(appAt(3, "handed-out"), [
        "login, password main-app.3",
        "login, password kept, in app, as app",
      ]);
      assert.deepEqual(appAt(3), ["login, password main-app.3", "no login, no password, in app, as app"]);
    });

    it("give the admin's rights to its second login by acting as it", () => {
      const admin = wantedRoles(checked(at(2))).filter(({ name }) => name.startsWith("pgp_admin"));
      assert.deepEqual(
        admin.map(({ name, createRoles, createDatabases }) => [name, createRoles, createDatabases]),
        [
          ["pgp_admin", true, true],
          ["pgp_admin_b", false, false],
        ],
      );
    });

    it("are CloudNativePG's managed roles", () => {
      const spec = cnpg.plan(checked(at(2))).objects[0]?.object.spec as { managed: { roles: object[] } };
      assert.deepEqual(spec.managed.roles.slice(0, 2), [
        { name: "app", ensure: "present", login: false, disablePassword: true },
        {
          name: "app_b",
          ensure: "present",
          login: true,
          inRoles: ["app"],
          passwordSecret: { name: "main-app.2" },
        },
      ]);
    });

    it("are what the scripts make where no operator does", () => {
      const sql = (value: unknown) => scriptsOf(checked(value))[0]?.sql ?? "";
      assert.match(sql(at(2, "added")), /ALTER ROLE "app_b" SET role = 'app';/);
      assert.doesNotMatch(sql(at(2, "added")), /PASSWORD NULL/);
      assert.match(sql(at(2)), /ALTER ROLE "app" NOLOGIN [^;]*;[^]*ALTER ROLE "app" PASSWORD NULL;/);
      assert.doesNotMatch(sql(at(1)), /_b"|SET role|PASSWORD NULL/);
    });
  });

  describe("the Secrets", () => {
    const secretsAt = (value: unknown) =>
      Object.fromEntries(
        credentialsOf(checked(value), {}).map(({ secretName, role, credentialVersion = 1 }) => [
          secretName,
          `${role} ${credentialVersion}`,
        ]),
      );

    it("of applications change when the new login is handed out, not before", () => {
      assert.deepEqual(secretsAt(at(2, "added")), {
        "main-app": "app 1",
        "main-app.2": "app_b 2",
        "main-admin": "pgp_admin 1",
        "main-admin.2": "pgp_admin_b 2",
        "main-pooler-auth": "pgp_pooler 1",
        "main-pooler-auth.2": "pgp_pooler_b 2",
        "main-health": "pgp_health 1",
      });
      const after = secretsAt(at(2, "handed-out"));
      assert.deepEqual([after["main-app"], after["main-app.2"]], ["app_b 2", "app_b 2"]);
      assert.equal(secretsAt(at(3, "added"))["main-app"], "app_b 2");
    });

    it("are found by the role whose rights they give", () => {
      const credentials = credentialsOf(checked(at(2, "added")), {});
      assert.equal(credentialOf(credentials, "app").secretName, "main-app");
      assert.throws(() => credentialOf(credentials, "app_b"), /no credential for app_b/);
    });

    it("let the poolers look logins up by both, until the old one is closed", () => {
      const listAt = (value: unknown) =>
        credentialsOf(checked(value), {}).find(({ id }) => id === "pooler-auth")?.extraKeys["userlist.txt"];
      const stats = '"pgp_stats" "{password:pooler-stats}"\n';
      const old = '"pgp_pooler" "{password:pooler-auth}"\n';
      const fresh = '"pgp_pooler_b" "{password:pooler-auth.2}"\n';
      assert.equal(listAt(at(1)), old + stats);
      assert.equal(listAt(at(2, "added")), old + fresh + stats);
      assert.equal(listAt(at(2, "handed-out")), old + fresh + stats);
      assert.equal(listAt(at(2)), fresh + stats);
    });
  });

  describe("the graph", function () {
    this.timeout(60_000);
    const graphs = new Map<string, Promise<Graph>>();
    const graphAt = (credentialVersion: number, stage?: Rotation["stage"]) => {
      const key = `${credentialVersion} ${stage}`;
      const made =
        graphs.get(key) ??
        shortObjects().then((released) => platformGraph(checked(at(credentialVersion, stage)), released));
      graphs.set(key, made);
      return made;
    };
    const decoded = (secret: unknown) => Buffer.from(secret as string, "base64").toString();

    it("keeps the old passwords while they are in use, and has the new ones beside them", async () => {
      const passwords = async (credentialVersion: number, stage?: Rotation["stage"]) =>
        (await graphAt(credentialVersion, stage)).resources
          .filter(({ type }) => type.endsWith(":RandomPassword"))
          .map(({ name }) => name.replace("main-credentials-", ""))
          .filter((name) => /^(app|pooler-auth)/.test(name))
          .sort();
      assert.deepEqual(await passwords(1), ["app-password", "pooler-auth-password"]);
      const both = ["app-password", "app-password-2", "pooler-auth-password", "pooler-auth-password-2"];
      assert.deepEqual(await passwords(2, "added"), both);
      assert.deepEqual(await passwords(2, "handed-out"), both.slice(1));
      assert.deepEqual(await passwords(2), ["app-password-2", "pooler-auth-password-2"]);
    });

    it("gives applications, binding and outputs one and the same login", async () => {
      for (const [stage, login, password] of [
        ["added", "app", "app-password"],
        ["handed-out", "app_b", "app-password-2"],
      ] as const) {
        const { resources, outputs } = await graphAt(2, stage);
        const dataOf = (name: string) => {
          const { data } = resources.find((one) => one.name === name)?.inputs as {
            data: { secret: Record<string, string> };
          };
          return [decoded(data.secret.username), decoded(data.secret.password)];
        };
        const wanted = [login, mockPassword(`main-credentials-${password}`)];
        assert.deepEqual(dataOf("main-credentials-app-secret"), wanted);
        assert.deepEqual(dataOf("main-bindings-shop-secret"), wanted);
        const config = resources.find(({ name }) => name === "main-bindings-shop-config");
        assert.equal((config?.inputs.data as Record<string, string>).DB_USER, login);
        assert.equal((outputs.roles as Record<string, string>).app, login);
        assert.deepEqual((outputs.secrets as Record<string, object>).app, {
          name: "main-app",
          usernameKey: "username",
          passwordKey: "password",
        });
      }
    });

    it("has the cluster say how far it is, as it is read again", async () => {
      const { resources } = await graphAt(2, "handed-out");
      const cluster = resources.find(({ type }) => type.endsWith(":Cluster") && !type.startsWith("pgp"));
      const object = { apiVersion: "v1", kind: "x", ...cluster?.inputs } as never;
      assert.deepEqual(rotationOf(object), { credentialVersion: 2, stage: "handed-out" });
      assert.deepEqual(rotationOf({ apiVersion: "v1", kind: "x", metadata: { name: "x" } }), {
        credentialVersion: 1,
        stage: "only",
      });
    });

    it("tries the logins behind cluster and poolers, before clients are told", async () => {
      const { resources } = await graphAt(2, "added");
      const one = (name: string) => resources.find((resource) => resource.name === name);
      assert.deepEqual(one("main-logins")?.dependsOn, ["main-cluster", "main-pooler-p"]);
      assert.equal(one("main-logins-2")?.type, "kubernetes:batch/v1:Job");
      assert.deepEqual(one("main-bindings")?.dependsOn, ["main-cluster", "main-logins", "main-pooler-p"]);
      assert.equal(
        (await graphAt(1)).resources.find(({ name }) => name === "main-logins"),
        undefined,
      );
    });
  });

  it("rolls the poolers when logins are handed out, since others look them up, and not for the rest", () => {
    const deploymentAt = (value: unknown) => {
      const settings = checked(value);
      const plan = poolerPlan(settings, settings.poolers[0]!, cnpg.plan(settings));
      return plan.objects.find(({ id }) => id === "deployment")?.object;
    };
    assert.deepEqual(deploymentAt(at(2, "added")), deploymentAt(at(1)));
    assert.notDeepEqual(deploymentAt(at(2, "handed-out")), deploymentAt(at(1)));
    assert.deepEqual(deploymentAt(at(2)), deploymentAt(at(2, "handed-out")));
  });

  describe("the Job that tries logins", () => {
    const checkAt = (value: unknown) => {
      const settings = checked(value);
      const plan = cnpg.plan(settings);
      return loginCheck(
        settings,
        plan,
        settings.poolers.map((pooler) => poolerPlan(settings, pooler, plan)),
      );
    };
    const commandOf = (value: unknown) => {
      const spec = checkAt(value)?.object.spec as {
        template: { spec: { containers: { command: string[] }[] } };
      };
      return spec.template.spec.containers[0]?.command ?? [];
    };

    it("is one for each credential version, the same at each stage", () => {
      assert.equal(checkAt(at(1)), undefined);
      const check = checkAt(at(2))?.object;
      assert.equal(check?.metadata.name, "main-logins-2");
      assert.match(
        JSON.stringify(check),
        /{"name":"HOME","value":"\/tmp"}/,
        "a home that its user may look into",
      );
      assert.deepEqual(checkAt(at(2, "added")), checkAt(at(2)));
    });

    it("has every login with its database, the primary and the poolers before that database", () => {
      const primary = "main-rw.postgres.svc";
      const pooler = "main-pooler-p.postgres.svc";
      assert.deepEqual(commandOf(at(2)).slice(4), [
        `app|app|app|${primary}|${pooler}`,
        `admin|pgp_admin|app|${primary}|${pooler}`,
        `pooler-auth|pgp_pooler|postgres|${primary}|`,
      ]);
    });

    it("asks no pooler for a role that may replicate, which poolers let none in", () => {
      const primary = "main-rw.postgres.svc";
      const listed = (replication: boolean) => ({
        ...at(2),
        cluster: { ...smallest().cluster, roles: [{ name: "cdc", login: true, replication }] },
      });
      const lineOf = (value: unknown) => commandOf(value).find((one) => one.includes("|cdc|"));
      assert.equal(lineOf(listed(true)), `role-cdc|cdc|app|${primary}|`);
      assert.equal(lineOf(listed(false)), `role-cdc|cdc|app|${primary}|main-pooler-p.postgres.svc`);
    });

    describe("with a stand-in for psql", () => {
      let folder: string;
      before(async () => {
        folder = await mkdtemp(join(tmpdir(), "pgp-logins-"));
        await mkdir(join(folder, "app"));
        await writeFile(join(folder, "app", "username"), "app_b");
        await writeFile(join(folder, "app", "password"), "right");
      });
      after(() => rm(folder, { recursive: true, force: true }));

      async function tried(psql: string) {
        await writeFile(
          join(folder, "psql"),
          `#!/bin/bash\necho "$PGUSER@$PGHOST/$PGDATABASE \${!#}" >>${folder}/log\n${psql}\n`,
        );
        await chmod(join(folder, "psql"), 0o755);
        await rm(join(folder, "log"), { force: true });
        const [, , script = ""] = commandOf(at(2));
        return run("bash", ["-c", script, "loginCheck", "app|app|shop|db|one,two"], {
          env: { PATH: `${folder}:${process.env.PATH}`, LOGINS: folder, WAIT_SECONDS: "2" },
          allowFailure: true,
        });
      }

      it("sets the role that a login acts as, then logs in everywhere", async () => {
        const { exitCode, stdout } = await tried('[ "$PGPASSWORD" = right ] && echo app');
        assert.equal(exitCode, 0);
        assert.deepEqual(stdout.trim().split("\n"), [
          "app_b logs in at db as app",
          "app_b logs in at one as app",
          "app_b logs in at two as app",
        ]);
        const { stdout: log } = await run("cat", [join(folder, "log")]);
        assert.deepEqual(log.trim().split("\n"), [
          "app_b@db/shop SET ROLE NONE; ALTER ROLE CURRENT_USER SET role = 'app'; SET ROLE 'app'; SELECT current_user",
          "app_b@db/shop SELECT current_user",
          "app_b@one/shop SELECT current_user",
          "app_b@two/shop SELECT current_user",
        ]);
      });

      it("fails with the login and the place that doesn't work, and why", async () => {
        const { exitCode, stdout } = await tried(
          '[ "$PGHOST" != two ] && echo app || { echo "FATAL: no" >&2; exit 2; }',
        );
        assert.equal(exitCode, 1);
        assert.equal(stdout.trim().split("\n").at(-1), "app_b can't log in at two: FATAL: no");
      });

      it("fails when a login acts as another role", async () => {
        const { exitCode, stdout } = await tried("echo app_b");
        assert.equal(exitCode, 1);
        assert.match(stdout, /app_b can't log in at db: app_b/);
      });
    });
  });

  describe("`make up`", () => {
    const live = (credentialVersion: number, stage: Rotation["stage"] = "only"): Rotation => ({
      credentialVersion,
      stage,
    });

    it("goes through the stages from wherever a rotation is", () => {
      assert.deepEqual(stagesBefore(undefined, live(5)), []);
      assert.deepEqual(stagesBefore(live(1), live(1)), []);
      assert.deepEqual(stagesBefore(live(1), live(2)), ["added", "handed-out"]);
      assert.deepEqual(stagesBefore(live(2, "added"), live(2)), ["added", "handed-out"]);
      assert.deepEqual(stagesBefore(live(2, "handed-out"), live(2)), ["handed-out"]);
      assert.deepEqual(stagesBefore(live(2), live(2)), []);
    });

    it("lays credential version and stage over the stack's own settings", () => {
      const config = { "pgplatform:rotation": { credentialVersion: 2, overlapMinutes: 3 } };
      assert.deepEqual(rotationOverlay(config, live(1)), {
        "pgplatform:rotation": { credentialVersion: 1, overlapMinutes: 3, stage: "only" },
      });
    });

    it("counts those who use the old logins: an instance's sessions, a pooler's clients", () => {
      const settings = checked(at(2));
      assert.deepEqual(oldLogins({ settings, plan: cnpg.plan(settings) }), [
        "app",
        "pgp_admin",
        "pgp_pooler",
      ]);
      const metrics = [
        "# TYPE pgbouncer_pools_client_active_connections gauge",
        'pgbouncer_pools_client_active_connections{database="app",user="app"} 2',
        'pgbouncer_pools_client_waiting_connections{database="app",user="app"} 1',
        'pgbouncer_pools_client_active_connections{database="app",user="app_b"} 7',
        'pgbouncer_pools_client_active_connections{database="app",user="pgp_admin"} 0',
        'pgbouncer_pools_server_active_connections{database="app",user="app"} 5',
      ].join("\n");
      const found = clientsIn(metrics, ["app", "pgp_admin"], "main-pooler-p-x");
      assert.deepEqual(found, [{ login: "app", from: "the pooler's pod main-pooler-p-x", sessions: 3 }]);
      assert.equal(inUse(found), "app: 3 from the pooler's pod main-pooler-p-x");
    });

    describe("closes the old logins", () => {
      interface Pod {
        name: string;
        ready: boolean;
        phase?: string;
      }
      const podOf = ({ name, ready, phase = "Running" }: Pod) => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        status: {
          phase,
          podIP: "198.18.1.1",
          conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
        },
      });
      /** Checks once whether a session uses an old login, as far as these pods can be asked. */
      async function waited(instances: Pod[], poolers: Pod[]): Promise<void> {
        const settings = {
          ...checked(at(2)),
          rotation: { credentialVersion: 2, overlapMinutes: -1, stage: "only" as const },
        };
        const lists = [poolers, instances].map((pods) => pods.map(podOf));
        const kubectl = {
          list: () => Promise.resolve(lists.shift() ?? []),
          run: () => Promise.resolve({ exitCode: 0, stdout: "", stderr: "" }),
        } as unknown as Kubectl;
        const context = { say: () => undefined, detail: () => undefined };
        const subject = { kubectl, settings, engine: cnpg, live: reader, plan: cnpg.plan(settings) };
        await waitUntilUnused(subject, context, new AbortController().signal);
      }
      const well: Pod = { name: "main-1", ready: true };
      const pooler: Pod = { name: "main-pooler-p-x", ready: true };

      it("when no session uses them", () => waited([well], [pooler]));

      it("not while an instance or a pooler can't be asked, which may serve sessions all the same", async () => {
        const silent = { name: "main-2", ready: false };
        await assert.rejects(waited([well, silent], [pooler]), /can't be counted: main-2 is not ready/);
        await assert.rejects(waited([well], [{ ...pooler, ready: false }]), /main-pooler-p-x is not ready/);
        await assert.rejects(waited([], [pooler]), /can't be counted: there is no instance/);
      });

      it("although pods were left behind that have ended", () =>
        waited([well], [pooler, { name: "main-pooler-p-y", ready: false, phase: "Failed" }]));
    });
  });

  describe("is refused", () => {
    it("with access rules, which may keep the Job out", () => {
      const value = changed(at(2), "cluster.access", [{ role: "app" }]);
      assert.deepEqual(sentences(value), [
        "pgplatform:rotation.credentialVersion: 2 is not allowed. Allowed: 1 with cluster.access, whose rules may keep out the Job that tries the new logins. Fix: set 1, or leave cluster.access out.",
      ]);
    });

    it("where a second login would be another role's, or too long", () => {
      const long = "x".repeat(62);
      const value = changed(
        changed(at(2), "cluster.roles", [
          { name: "app_b" },
          { name: long },
          { name: `${long}y`, login: false },
        ]),
        "clients",
        [],
      );
      assert.deepEqual(sentences(value), [
        'pgplatform:cluster.databases[0].owner: "app" is not allowed. Allowed: a name without a role app_b beside it, which is its second login. Fix: rename one.',
        `pgplatform:cluster.roles[1].name: "${long}" is not allowed. Allowed: at most 61 characters once passwords are rotated. Fix: shorten it.`,
      ]);
      assert.deepEqual(sentences(changed(value, "rotation", { credentialVersion: 1 })), []);
    });

    it("at a stage of the first credential version", () => {
      assert.deepEqual(sentences(at(1, "added")), [
        'pgplatform:rotation.stage: "added" is not allowed. Allowed: only with the first credential version. Fix: leave it out.',
      ]);
    });
  });
});
