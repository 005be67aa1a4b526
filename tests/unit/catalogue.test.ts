import assert from "node:assert/strict";
import fc from "fast-check";
import {
  amountOf,
  extensionPrefixes,
  nearest,
  needsRestart,
  type Parameter,
  parameterOf,
  whyMissing,
  wrong,
} from "../../settings/catalogue/index";
import { changed, smallest } from "../support/settings";
import { check, sentence } from "../../checks/index";

const majors = ["15", "16", "17", "18"] as const;

const known = (name: string, major = "17"): Parameter => {
  const parameter = parameterOf(major, name);
  if (!parameter) throw new Error(`${name} isn't in the catalogue`);
  return parameter;
};

const sentences = (name: string, value: unknown, major = "17"): string[] => {
  const result = check(
    changed(changed(smallest(), "cluster.postgresVersion", major), "cluster.parameters", { [name]: value }),
  );
  return "problems" in result ? result.problems.map(sentence) : [];
};

describe("the catalogue of server parameters", () => {
  it("knows some hundred parameters of each major, and what the server says of one", () => {
    for (const major of majors) {
      assert.deepEqual(parameterOf(major, "work_mem"), {
        name: "work_mem",
        context: "user",
        type: "integer",
        unit: "kB",
        least: 64,
        most: 2147483647,
        values: [],
      });
      assert.ok(parameterOf(major, "auto_explain.log_min_duration"));
    }
    assert.equal(known("TimeZone").name, known("timezone").name);
  });

  it("tells majors apart", () => {
    assert.deepEqual(
      majors.map((major) => parameterOf(major, "io_method")?.values.length ?? 0),
      [0, 0, 0, 3],
    );
    assert.deepEqual(
      majors.map((major) => parameterOf(major, "old_snapshot_threshold") !== undefined),
      [true, true, false, false],
    );
    assert.deepEqual(
      majors.map((major) => known("effective_io_concurrency", major).most),
      [1000, 1000, 1000, 1000],
    );
  });

  it("says since when a parameter is gone, what came after it, and from when on it is there", () => {
    assert.deepEqual(
      [
        whyMissing("17", "old_snapshot_threshold"),
        whyMissing("16", "force_parallel_mode"),
        whyMissing("15", "wal_keep_segments"),
        whyMissing("15", "checkpoint_segments"),
        whyMissing("17", "io_method"),
        whyMissing("17", "work_memory"),
      ],
      [
        "PostgreSQL removed it in version 17",
        "PostgreSQL removed it in version 16; debug_parallel_query replaces it",
        "PostgreSQL removed it in version 13; wal_keep_size replaces it",
        "PostgreSQL removed it in version 9.5; max_wal_size replaces it",
        "PostgreSQL has it from version 18 on",
        undefined,
      ],
    );
  });

  it("finds the nearest names, and none for a name that is like no other", () => {
    assert.equal(nearest("17", "work_memory")[0], "work_mem");
    assert.equal(nearest("17", "shared_bufers")[0], "shared_buffers");
    assert.equal(nearest("17", "pg_stat_statements.maximum")[0], "pg_stat_statements.max");
    assert.deepEqual(nearest("17", "xyzzy"), []);
  });

  it("says what needs a restart, and takes the worse for granted where it can't know", () => {
    const asked = [
      "shared_buffers",
      "max_connections",
      "pg_stat_statements.max",
      "work_mem",
      "log_min_duration_statement",
      "log_connections",
      "timescaledb.max_background_workers",
    ];
    assert.deepEqual(
      asked.map((name) => needsRestart("17", name)),
      [true, true, true, false, false, false, true],
    );
  });

  it("reads amounts as the server does", () => {
    const cases: [name: string, text: string, amount: number | undefined][] = [
      ["work_mem", "8MB", 8192],
      ["work_mem", "8192", 8192],
      ["work_mem", "1.5 GB", 1572864],
      ["work_mem", "0x40", 64],
      ["work_mem", "8mb", undefined],
      ["work_mem", "8 M", undefined],
      ["work_mem", "8s", undefined],
      ["shared_buffers", "128MB", 16384],
      ["shared_buffers", "16384", 16384],
      ["statement_timeout", "1min", 60000],
      ["statement_timeout", "1500us", 2],
      ["statement_timeout", "2500us", 2],
      ["statement_timeout", "2501us", 3],
      ["max_worker_processes", "0.5", 0],
      ["work_mem", "0100", undefined],
      ["archive_timeout", "1h", 3600],
      ["archive_timeout", "1kB", undefined],
      ["max_worker_processes", "8", 8],
      ["max_worker_processes", "8kB", undefined],
      ["random_page_cost", "1.1", 1.1],
      ["random_page_cost", "1e1", 10],
      ["log_min_duration_statement", "-1", -1],
      ["random_page_cost", "", undefined],
      ["random_page_cost", "..", undefined],
    ];
    for (const [name, text, amount] of cases)
      assert.equal(amountOf(known(name), text), amount, `${name} = ${text}`);
  });

  it("takes booleans in all of PostgreSQL's spellings and enumerated values in any case", () => {
    for (const text of ["on", "OFF", "t", "fal", "yes", "n", "1", "0", "of"])
      assert.equal(wrong(known("jit"), text), undefined, text);
    for (const text of ["o", "", "2", "onn", "maybe"]) assert.ok(wrong(known("jit"), text), text);
    assert.equal(wrong(known("wal_level"), "Logical"), undefined);
    assert.ok(wrong(known("wal_level"), "archive"));
  });

  it("takes exactly the numbers within the limits, whatever the parameter", () => {
    const limited = [
      "work_mem",
      "max_worker_processes",
      "random_page_cost",
      "deadlock_timeout",
      "wal_buffers",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...limited), fc.integer({ min: -10, max: 2 ** 31 }), (name, number) => {
        const parameter = known(name);
        const inside = number >= (parameter.least ?? NaN) && number <= (parameter.most ?? NaN);
        assert.equal(wrong(parameter, String(number)) === undefined, inside);
      }),
      {
        numRuns: 500,
        examples: limited.flatMap((name) => {
          const { least = 0, most = 0 } = known(name);
          return [least, least - 1, most].map((number): [string, number] => [name, number]);
        }),
      },
    );
  });

  it("knows PostgreSQL's own extensions from the server, and some others by their prefix alone", () => {
    const prefixes = extensionPrefixes("17");
    for (const prefix of ["auto_explain", "pg_stat_statements", "pgaudit", "timescaledb"])
      assert.ok(prefixes.includes(prefix), prefix);
    assert.deepEqual(sentences("pgaudit.log", "ddl, role"), []);
    assert.deepEqual(sentences("pg_stat_statements.max", 5000), []);
  });

  it("lets the right values through the check", () => {
    const right = {
      work_mem: "1MB",
      jit: false,
      random_page_cost: 1.1,
      log_statement: "ddl",
      datestyle: "ISO",
    };
    for (const [name, value] of Object.entries(right)) assert.deepEqual(sentences(name, value), [], name);
  });
});

describe("a parameter that isn't there", () => {
  it("is said to be gone or to come, at the very versions", () => {
    const says = (name: string) => majors.map((major) => whyMissing(major, name));
    const gone = (version: number) => `PostgreSQL removed it in version ${version}`;
    assert.deepEqual(says("old_snapshot_threshold"), [undefined, undefined, gone(17), gone(17)]);
    assert.deepEqual(says("promote_trigger_file"), [undefined, gone(16), gone(16), gone(16)]);
    const later = "PostgreSQL has it from version 18 on";
    assert.deepEqual(says("io_method"), [later, later, later, undefined]);
    assert.deepEqual(says("fsm"), [undefined, undefined, undefined, undefined]);
  });

  it("has up to three near names, the nearest first, and none that is far", () => {
    for (const [name, near] of [
      ["wrk_mem", ["work_mem"]],
      ["max_conections", ["max_connections", "log_connections"]],
      ["zzzzzzzzz", []],
      ["enable_x", []],
    ] as const)
      assert.deepEqual(nearest("17", name), near, name);
  });
});
