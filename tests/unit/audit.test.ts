import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { auditOf } from "../../plan/logs/audit";
import { jsonlogLine } from "../../plan/logs/postgresql";
import { auditParameters } from "../../plan/postgres/audit";
import { preloadLibraries } from "../../plan/postgres/extensions";
import { poolerPlan } from "../../plan/pooler/plan";
import type { SettingsInput } from "../../settings/schema";
import { sentences } from "../support/rich";
import { changed, checked, smallest } from "../support/settings";

const engines = ["cnpg", "zalando", "standalone"] as const;

const input = (engine: (typeof engines)[number], audit: SettingsInput["audit"]): SettingsInput => {
  const base = smallest();
  return {
    ...base,
    cluster: {
      ...base.cluster,
      engine,
      ...(engine === "standalone" && { instances: 1, durability: "async" }),
      databases: [{ name: "app", owner: "app", schemas: [{ name: "shop" }] }],
      roles: [{ name: "clerk" }, { name: "group", login: false }],
    },
    poolers: [{ name: "app", database: "app" }],
    ...(audit && { audit }),
  };
};

for (const engine of engines)
  describe(`the audit with ${engine}`, () => {
    const planned = (audit: SettingsInput["audit"]) => {
      const settings = checked(input(engine, audit));
      const plan = planners[engine].plan(settings);
      return { settings, plan, text: JSON.stringify(plan.objects) };
    };

    it("is nothing where nothing is asked for", () => {
      const { settings, plan, text } = planned(undefined);
      assert.deepEqual(auditParameters(settings), {});
      assert.doesNotMatch(text.replaceAll("DROP EXTENSION IF EXISTS pgaudit", ""), /pgaudit|pgp_audit/);
      assert.equal(plan.adoption, undefined);
    });

    it("has its parameters, its library and its role, and logs connections, at the poolers too", () => {
      for (const audit of [
        { profile: "ddl" },
        { roles: [{ role: "clerk", profile: "all" }] },
        { objects: [{ database: "app" }] },
      ] as const) {
        const { settings, plan, text } = planned(audit as SettingsInput["audit"]);
        const { profile } = settings.audit;
        assert.ok(preloadLibraries(settings).includes("pgaudit"));
        assert.match(text, /pgaudit\.role\W+pgp_audit/);
        assert.match(
          text,
          profile === "ddl" ? /pgaudit\.log(":"| = ')ddl, role["']/ : /pgaudit\.log(":"| = ')none["']/,
        );
        assert.match(text, /log_connections(":"| = ')on/);
        assert.match(
          text,
          engine === "cnpg"
            ? /"name":"pgp_audit","ensure":"present","login":false/
            : /CREATE ROLE \\"pgp_audit\\"/,
        );
        const [pooler] = settings.poolers;
        assert.ok(pooler);
        assert.match(JSON.stringify(poolerPlan(settings, pooler, plan).objects), /log_connections = 1\\n/);
        // CloudNativePG's operator preloads the library and makes the extension where it finds a parameter.
        if (engine !== "cnpg") {
          assert.match(text, /shared_preload_libraries(":"| = ')[^"']*pgaudit/);
          assert.match(text, /CREATE EXTENSION IF NOT EXISTS \\"pgaudit\\"/);
        }
      }
    });

    it("gives roles and objects what they need, in the server", () => {
      const { plan, text } = planned({
        roles: [{ role: "clerk", profile: "write" }],
        objects: [{ database: "app", schema: "shop", commands: ["select"] }],
      });
      const sql = engine === "cnpg" ? JSON.stringify(plan.adoption) : text;
      assert.match(sql, /\('clerk', 'ddl, role, write'\), \('clerk_b', 'ddl, role, write'\)/);
      assert.match(sql, /GRANT select ON ALL TABLES IN SCHEMA \\"shop\\" TO pgp_audit/);
      assert.match(
        sql,
        /ALTER DEFAULT PRIVILEGES FOR ROLE \\"app\\" IN SCHEMA \\"shop\\" GRANT select ON TABLES TO pgp_audit/,
      );
    });

    it("comes off the databases of a server that no longer loads it, but where CloudNativePG sees to it", () => {
      assert.equal(/DROP EXTENSION IF EXISTS pgaudit/.test(planned(undefined).text), engine !== "cnpg");
      assert.doesNotMatch(planned({ profile: "all" }).text, /DROP EXTENSION/);
      const listed = changed(input(engine, undefined), "cluster.databases.0.extensions", ["pgaudit"]);
      assert.doesNotMatch(JSON.stringify(planners[engine].plan(checked(listed)).objects), /DROP EXTENSION/);
    });

    it("refuses what it doesn't know, and parameters that it decides", () => {
      const told = (audit: SettingsInput["audit"], parameters = {}) =>
        sentences(changed(input(engine, audit), "cluster.parameters", parameters));
      assert.deepEqual(told({ profile: "all" }, { "pgaudit.log_parameter": "on" }), []);
      assert.deepEqual(told({ profile: "all" }, { "pgaudit.log": "read" }), [
        'pgplatform:cluster.parameters.pgaudit.log: must not be set ("read"): pgplatform:audit decides it. Fix: remove it.',
      ]);
      assert.deepEqual(
        told({
          roles: [
            { role: "nobody", profile: "all" },
            { role: "group", profile: "all" },
          ],
        }),
        [
          'pgplatform:audit.roles[0].role: "nobody" is not allowed. Allowed: a role that logs in: app, clerk, pgp_admin, pgp_health, pgp_pooler. Fix: correct it, or add it to cluster.roles.',
          'pgplatform:audit.roles[1].role: "group" is not allowed. Allowed: a role that logs in: app, clerk, pgp_admin, pgp_health, pgp_pooler. Fix: correct it, or add it to cluster.roles.',
        ],
      );
      const twice = { role: "app", profile: "all" } as const;
      assert.equal(told({ roles: [twice, twice] }).length, 2);
      assert.deepEqual(told({ objects: [{ database: "other" }, { database: "app", schema: "books" }] }), [
        'pgplatform:audit.objects[0].database: "other" is not allowed. Allowed: app. Fix: name one of cluster.databases.',
        'pgplatform:audit.objects[1].schema: "books" is not allowed. Allowed: public, shop. Fix: correct it, or add it to the schemas of the database app.',
      ]);
      assert.equal(
        told({ objects: [{ database: "app" }, { database: "app", commands: ["select"] }] }).length,
        2,
      );
    });

    it("needs an image that has pgAudit", () => {
      const cloud = {
        ...changed(input(engine, { profile: "ddl" }), "cluster.storage.class", "gp3"),
        platform: "cloud" as const,
        tier: "dev" as const,
      };
      const has = planners[engine].imageContents.extensions.includes("pgaudit");
      assert.equal(has, engine !== "standalone");
      const [sentence = ""] = sentences(cloud);
      if (has) assert.equal(sentence, "");
      else
        assert.match(
          sentence,
          /^pgplatform:audit\.profile: "ddl" is not allowed\. Allowed: no audit with the image docker\.io\/library\/postgres:\S+, which doesn't have pgaudit\. Fix: name an image/,
        );
      assert.deepEqual(sentences({ ...cloud, images: { postgresql: "example.com/own:17.1" } }), []);
    });
  });

describe("a record of pgAudit", () => {
  it("is taken apart, whatever its statement holds", () => {
    const message =
      'AUDIT: SESSION,2,1,WRITE,INSERT,TABLE,"public.""odd, name""","INSERT INTO x\nVALUES (\'a, ""b""\')",<not logged>';
    const {
      auditType,
      auditClass,
      auditCommand,
      objectType,
      object,
      statement,
      message: said,
    } = jsonlogLine(JSON.stringify({ error_severity: "LOG", message }));
    assert.deepEqual(
      [auditType, auditClass, auditCommand, objectType, object, statement],
      ["SESSION", "WRITE", "INSERT", "TABLE", 'public."odd, name"', "INSERT INTO x\nVALUES ('a, \"b\"')"],
    );
    assert.equal(said, 'AUDIT: SESSION,2,1,WRITE,INSERT,TABLE,public."odd, name"');
  });

  it("has no statement where that was written down before, and ends where it is cut off", () => {
    assert.equal(
      auditOf("AUDIT: OBJECT,1,2,READ,SELECT,TABLE,a,<previously logged>,<not logged>")?.statement,
      undefined,
    );
    assert.equal(auditOf('AUDIT: SESSION,1,1,READ,SELECT,,,"SELECT')?.auditClass, "READ");
    assert.equal(auditOf("audit: no"), undefined);
  });
});
