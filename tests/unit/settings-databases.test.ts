import assert from "node:assert/strict";
import type { KubernetesObject } from "../../plan/objects";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { pins } from "../../releases/pins";
import { plannerOf } from "../../plan/engines/select";
import { knownExtensions } from "../../checks/extensions";
import { validatorOf } from "../support/crd";
import { changed, checked, everything, smallest } from "../support/settings";
import { sentences, specOf, databaseSpec, database, prod, rich } from "../support/rich";

describe("access", () => {
  it("is for everyone with a password and TLS where no rule says more", () => {
    assert.deepEqual(specOf(smallest()).postgresql.pg_hba, [
      "hostssl all all all scram-sha-256",
      "hostnossl all all all reject",
    ]);
  });

  it("is what the rules say, in their order, for the platform's roles always, and for no other role", () => {
    assert.deepEqual(specOf(rich()).postgresql.pg_hba, [
      "hostssl postgres pgp_pooler all scram-sha-256",
      "hostssl app pgp_health all scram-sha-256",
      "hostssl app app 10.0.0.0/8 scram-sha-256",
      "hostssl all reader 2001:db8::/32 scram-sha-256",
      "host reports all all scram-sha-256",
      "hostnossl all all all reject",
      "host all all all reject",
    ]);
  });

  const cases: [object, string][] = [
    [
      { database: "shop" },
      'pgplatform:cluster.access[0].database: "shop" is not allowed. Allowed: one of all, app. Fix: correct it, or add the database.',
    ],
    [
      { role: "nobody" },
      'pgplatform:cluster.access[0].role: "nobody" is not allowed. Allowed: a role that logs in: all, app, pgp_admin. Fix: correct it, or add the role to cluster.roles.',
    ],
    [
      { from: "10.0.0.1" },
      'pgplatform:cluster.access[0].from: "10.0.0.1" is not allowed. Allowed: all, or an address range such as 192.0.2.10/32. Fix: write the address, a slash and the prefix length.',
    ],
    [
      { from: "10.0.0.0/33" },
      'pgplatform:cluster.access[0].from: "10.0.0.0/33" is not allowed. Allowed: all, or an address range such as 192.0.2.10/32. Fix: write the address, a slash and the prefix length.',
    ],
    [
      { from: "300.0.0.0/8" },
      'pgplatform:cluster.access[0].from: "300.0.0.0/8" is not allowed. Allowed: all, or an address range such as 192.0.2.10/32. Fix: write the address, a slash and the prefix length.',
    ],
  ];
  for (const [rule, expected] of cases)
    it(`refuses ${JSON.stringify(rule)}`, () =>
      assert.deepEqual(sentences(changed(smallest(), "cluster.access", [rule])), [expected]));

  it("without TLS is for dev alone", () => {
    const input = changed(smallest(), "cluster.access", [{ tls: false }]);
    assert.deepEqual(sentences(input), []);
    assert.deepEqual(sentences(prod(input)), [
      "pgplatform:cluster.access[0].tls: false is not allowed. Allowed: true in the tier prod, since passwords and data would cross the network as plain text. Fix: remove it.",
    ]);
  });
});

describe("databases, schemas and extensions", () => {
  it("are planned like this", () => {
    assert.deepEqual(databaseSpec(rich(), "app"), {
      cluster: { name: "main" },
      name: "app",
      owner: "app",
      databaseReclaimPolicy: "retain",
      schemas: [
        { name: "audit", ensure: "present", owner: "reader" },
        { name: "shop", ensure: "present", owner: "app" },
      ],
      extensions: [
        { ensure: "present", name: "pg_stat_statements" },
        { ensure: "present", name: "pgaudit" },
        { ensure: "present", name: "pg_trgm", schema: "shop", version: "1.6" },
      ],
    });
    assert.equal(databaseSpec(rich(), "reports").connectionLimit, 60);
  });

  it("have preloaded what must be, unless the user's own parameters see to it", () => {
    const { parameters, shared_preload_libraries } = specOf(rich()).postgresql;
    assert.deepEqual(
      [parameters["pgaudit.log"], parameters["pg_stat_statements.max"], shared_preload_libraries],
      ["ddl, role", "5000", undefined],
    );
    const own = changed(database({ extensions: ["pgaudit"] }), "cluster.parameters", {
      "pgaudit.log_level": "notice",
    });
    assert.equal(specOf(own).postgresql.parameters["pgaudit.log"], undefined);
    const series = {
      ...database({ extensions: ["timescaledb"] }),
      images: { postgresql: "example.com/ts:17.1" },
    };
    assert.deepEqual(specOf(series).postgresql.shared_preload_libraries, ["timescaledb"]);
    assert.equal(specOf(series).postgresql.parameters["timescaledb.telemetry_level"], "off");
    assert.equal(specOf(smallest()).postgresql.shared_preload_libraries, undefined);
  });

  it("are known by platform, major and image", () => {
    const known = (input: unknown) => knownExtensions(checked(input), plannerOf(checked(input)));
    const cloud = changed(everything(), "images", {});
    assert.ok(known(smallest())!.includes("uuid-ossp"));
    assert.deepEqual(
      ["adminpack", "vector", "pgaudit", "timescaledb"].map((name) => known(cloud)!.includes(name)),
      [true, true, true, false],
    );
    assert.equal(known(changed(cloud, "cluster.postgresVersion", "17"))!.includes("adminpack"), false);
    assert.deepEqual(known(changed(cloud, "images", { registry: "mirror.example.com" })), known(cloud));
    assert.equal(known(changed(cloud, "images", { postgresql: "example.com/own:16.1" })), undefined);
    assert.deepEqual(sentences(changed(cloud, "images", { postgresql: "example.com/own:16.1" })), []);
  });

  const cases: [name: string, more: object, sentence: RegExp][] = [
    [
      "an extension that the image doesn't have",
      { extensions: ["vector"] },
      new RegExp(
        `^pgplatform:cluster\\.databases\\[0\\]\\.extensions\\[0\\]: "vector" is not allowed\\. Allowed: an extension of the image ${pins.images.postgresql} \\(amcheck, .*, pg_trgm, .*\\)\\. Fix: correct it, or name an image that has it in images\\.postgresql\\.$`,
      ),
    ],
    [
      "an extension of an impossible form",
      { extensions: ["pg_trgm", { name: "citext", scheme: "x" }] },
      /^pgplatform:cluster\.databases\[0\]\.extensions\[1\]\.scheme: no such setting \("x"\)\. Allowed: name, schema, version\. Fix: did you mean schema\? Correct it, or remove it\.$/,
    ],
    [
      "an extension of an impossible name",
      { extensions: ["Bad Name"] },
      /extensions\[0\]: "Bad Name" is not allowed\. Allowed: the name of an extension, or \{ name, schema, version \} .*\. Fix: write it as pg_trgm or \{ name: pg_trgm, schema: public \}\.$/,
    ],
    [
      "an extension's version that is a number",
      { extensions: [{ name: "citext", version: 1.6 }] },
      /extensions\[0\]\.version: 1\.6 is not allowed\. Allowed: a version in quotes, such as "1\.6"\. Fix: write it in quotes/,
    ],
    [
      "an extension in a schema that isn't there",
      { extensions: [{ name: "citext", schema: "x" }] },
      /extensions\[0\]\.schema: "x" is not allowed\. Allowed: one of public\. Fix: correct it, or add the schema\.$/,
    ],
    [
      "an extension before the one that it needs",
      { extensions: ["earthdistance"] },
      /a place after cube, which it needs\. Fix: list cube before it\.$/,
    ],
    [
      "the schema public",
      { schemas: [{ name: "public" }] },
      /schemas\[0\]\.name: "public" is not allowed\. Allowed: any name but public/,
    ],
    [
      "the platform's schema",
      { schemas: [{ name: "pgplatform" }] },
      /schemas\[0\]\.name: "pgplatform" is not allowed\. Allowed: any name but/,
    ],
    [
      "a schema's unknown owner",
      { schemas: [{ name: "x", owner: "y" }] },
      /owner: "y" is not allowed\. Allowed: one of app\. Fix: correct it/,
    ],
    [
      "a name that could be no object's",
      { name: "app_" },
      /databases\[0\]\.name: "app_" is not allowed\. Allowed: a PostgreSQL name: .* last no underscore/,
    ],
    [
      "a keyword of pg_hba.conf",
      { name: "replication" },
      /databases\[0\]\.name: "replication" is not allowed\. Allowed: any name but/,
    ],
  ];
  for (const [name, more, expected] of cases)
    it(`are refused: ${name}`, () => {
      const problems = sentences(database(more));
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0]!, expected);
    });

  it("are refused when something is listed twice, or a limit is below its poolers' connections", () => {
    assert.equal(
      sentences(database({ extensions: ["citext", "citext"], schemas: [{ name: "x" }, { name: "x" }] }))
        .length,
      4,
    );
    const limited = { ...database({ connectionLimit: 30 }), poolers: [{ name: "p", database: "app" }] };
    assert.deepEqual(sentences(limited), [
      "pgplatform:cluster.databases[0].connectionLimit: 30 is not allowed. Allowed: at least 42, which the database's poolers may open. Fix: raise it, or lower the poolers' serverConnections.",
    ]);
    const [, second] = [1, 2].map((ownerConnectionLimit, index) => ({
      name: `d${index}`,
      owner: "app",
      ownerConnectionLimit,
    }));
    assert.deepEqual(
      sentences(
        changed(smallest(), "cluster.databases", [
          { ...second, name: "d0", ownerConnectionLimit: 1 },
          second,
        ]),
      ),
      [
        "pgplatform:cluster.databases[1].ownerConnectionLimit: 2 is not allowed. Allowed: 1, which another database gives the same owner. Fix: give it once.",
      ],
    );
  });
});

describe("roles", () => {
  it("are planned like this, those that log in with a password of their own", () => {
    const role = (name: string) => specOf(rich()).managed.roles.find((one) => one.name === name);
    assert.deepEqual(role("app"), {
      name: "app",
      ensure: "present",
      login: true,
      connectionLimit: 80,
      passwordSecret: { name: "main-app" },
    });
    assert.deepEqual(role("reader"), {
      name: "reader",
      ensure: "present",
      login: true,
      connectionLimit: 5,
      inRoles: ["pg_read_all_data"],
      passwordSecret: { name: "main-role-reader" },
    });
    assert.deepEqual(role("writers"), {
      name: "writers",
      ensure: "present",
      login: false,
      inRoles: ["app"],
      createdb: true,
    });
    const credentials = cnpg.plan(checked(rich())).credentials.filter(({ id }) => id.startsWith("role-"));
    assert.deepEqual(
      credentials.map(({ id, role: name, secretName }) => [id, name, secretName]),
      [["role-reader", "reader", "main-role-reader"]],
    );
  });

  const cases: [roles: object[], sentence: RegExp][] = [
    [
      [{ name: "pgp_x" }],
      /roles\[0\]\.name: "pgp_x" is not allowed\. Allowed: a role that isn't the server's/,
    ],
    [[{ name: "all" }], /roles\[0\]\.name: "all" is not allowed\. Allowed: .* nor a keyword/],
    [
      [{ name: "app" }],
      /roles\[0\]\.name: "app" is not allowed\. Allowed: a role that owns none of cluster\.databases\. Fix: remove it/,
    ],
    ...["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"].map(
      (group): [object[], RegExp] => [
        [{ name: "x", memberOf: [group] }],
        new RegExp(
          `memberOf\\[0\\]: "${group}" is not allowed. Allowed: a role that can't become a superuser`,
        ),
      ],
    ),
    [
      [{ name: "x", memberOf: ["pgp_admin"] }],
      /memberOf\[0\]: "pgp_admin" is not allowed\. Allowed: a role that isn't the platform's/,
    ],
    [
      [{ name: "x", memberOf: ["typo"] }],
      /memberOf\[0\]: "typo" is not allowed\. Allowed: one of app, x, pg_checkpoint, /,
    ],
    [[{ name: "x", memberOf: ["pg_signal_autovacuum_worker"] }], /Allowed: one of app, x, pg_checkpoint, /],
    [
      [{ name: "x", memberOf: ["x"] }],
      /roles\[0\]\.memberOf: \["x"\] is not allowed\. Allowed: roles that are no members of this one\. Fix: break the circle/,
    ],
  ];
  for (const [roles, expected] of cases)
    it(`refuses ${JSON.stringify(roles)}`, () => {
      const problems = sentences(changed(smallest(), "cluster.roles", roles));
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0]!, expected);
    });

  it("refuses a circle over others, and a name that is there twice", () => {
    const circle = [
      { name: "x", memberOf: ["y"] },
      { name: "y", memberOf: ["z"] },
      { name: "z", memberOf: ["x"] },
      { name: "outside", memberOf: ["x", "pg_checkpoint"] },
    ];
    assert.equal(sentences(changed(smallest(), "cluster.roles", circle)).length, 3);
    assert.equal(sentences(changed(smallest(), "cluster.roles", [{ name: "x" }, { name: "x" }])).length, 2);
  });
});

describe("custom resources of these settings", () => {
  it("have no field that the CRD doesn't know", async function () {
    this.timeout(120_000);
    const validator = await validatorOf("cnpg");
    const objects: KubernetesObject[] = cnpg
      .plan(checked(rich()))
      .objects.map(({ object }) => object)
      .filter(({ kind }) => kind !== "ConfigMap");
    assert.equal(objects.length, 3);
    for (const object of objects) assert.deepEqual(validator.problems(object), []);
  });
});
