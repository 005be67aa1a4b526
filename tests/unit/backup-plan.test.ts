import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { backupPlan } from "../../plan/backup/plan";
import { planners } from "../../plan/engines/select";
import { live } from "../../plan/engines/cnpg/live";
import type { Settings } from "../../settings/schema";
import { archiveNow } from "../../operations/archive";
import { firstBackup, missingSource, whileAnswered } from "../../operations/backup";
import { waitingLog } from "../../operations/primary";
import { listed, readStatus, rowLine, sentenceOf, summaryOf } from "../../operations/targets";
import { type Subject } from "../../operations/health";
import { reportIn, verdictOf, verify } from "../../operations/verify";
import { check, sentence } from "../../checks/index";
import { longestPause } from "../../settings/cron";
import { checked, smallest } from "../support/settings";

const { cnpg } = planners;
const near = { name: "near", kind: "local" };
const far = { name: "far", kind: "local" };
const folder = join(__dirname, "../../plan/backup/scripts");

function planned(backup: object, more: object = {}) {
  const settings = checked({ ...smallest(), backup, ...more });
  return backupPlan(settings, cnpg, cnpg.plan(settings));
}
const ids = (backup: object) => planned(backup).objects.map(({ id }) => id);
const specOf = (backup: object, id: string) =>
  planned(backup).objects.find((one) => one.id === id)?.object.spec as Record<string, never>;

/** Every container of a workload, with its variables. */
function containersOf(spec: unknown): { name: string; env: { name: string; value?: string }[] }[] {
  const found: { name: string; env: { name: string; value?: string }[] }[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { image, name } = value as { image?: string; name?: string };
    if (image !== undefined && name !== undefined) found.push(value as (typeof found)[number]);
    Object.values(value).forEach(walk);
  };
  walk(spec);
  return found;
}
const variable = (spec: unknown, container: string, name: string) =>
  containersOf(spec)
    .find((one) => one.name === container)
    ?.env.find((one) => one.name === name)?.value;

describe("what happens to backups after they were made", () => {
  it("is nothing without a backup", () => {
    const settings = checked(smallest());
    assert.deepEqual(backupPlan(settings, cnpg, cnpg.plan(settings)), { objects: [], flows: [] });
  });

  it("is a look and a verification for each target, and a copy to a second one", () => {
    assert.deepEqual(ids({ targets: [near] }), ["scripts", "watch", "verify-1"]);
    assert.deepEqual(ids({ targets: [near, far] }), ["scripts", "watch", "copy", "verify-1", "verify-2"]);
    assert.deepEqual(ids({ targets: [near], verify: { enabled: false } }), ["scripts", "watch"]);
  });

  it("happens when the settings say, in UTC", () => {
    const backup = {
      targets: [near, far],
      copy: { schedule: "5 * * * *" },
      verify: { schedule: "0 6 * * 1" },
    };
    for (const [id, schedule] of [
      ["copy", "5 * * * *"],
      ["verify-2", "0 6 * * 1"],
    ] as const) {
      const spec = specOf(backup, id) as unknown as { schedule: string; timeZone: string };
      assert.deepEqual([spec.schedule, spec.timeZone], [schedule, "UTC"]);
    }
  });

  it("keeps what the recovery window takes", () =>
    assert.equal(
      variable(specOf({ targets: [near], recoveryWindowDays: 30 }, "verify-1"), "serve", "WINDOW_DAYS"),
      "30",
    ));

  it("waits for the copy as long as its schedule and the RPO take, and for the archive as long as the RPO", () => {
    const backup = { targets: [near, far], rpoMinutes: 3, copy: { schedule: "*/20 * * * *" } };
    assert.equal(variable(specOf(backup, "verify-1"), "choose", "WAIT_SECONDS"), String(3 * 60 + 120));
    assert.equal(
      variable(specOf(backup, "verify-2"), "choose", "WAIT_SECONDS"),
      String(3 * 60 + 2 * 20 * 60 + 120),
    );
  });

  it("restores from the target that it is for", () => {
    const backup = { targets: [near, far] };
    for (const [id, number, host] of [
      ["verify-1", "1", "main-store-near"],
      ["verify-2", "2", "main-store-far"],
    ] as const) {
      assert.equal(variable(specOf(backup, id), "choose", "NUMBER"), number);
      assert.match(variable(specOf(backup, id), "restore", "ENDPOINT") ?? "", new RegExp(`//${host}\\.`));
    }
  });

  it("makes a dump, if asked, out of what the last target has, with room for it", () => {
    const verify = { dump: true };
    const dumped = (backup: object, id: string) =>
      ["check", "report"].map((name) => variable(specOf(backup, id), name, "DUMPS"));
    const size = (backup: object, id: string) =>
      /"storage":"(\d+)"/.exec(JSON.stringify(specOf(backup, id)))?.[1];
    const folder = "/scratch/dumps";
    const two = { targets: [near, far], verify };
    assert.deepEqual(dumped(two, "verify-1"), [undefined, undefined]);
    assert.deepEqual(dumped(two, "verify-2"), [folder, folder]);
    assert.deepEqual(dumped({ targets: [near], verify }, "verify-1"), [folder, folder]);
    assert.deepEqual(dumped({ targets: [near] }, "verify-1"), [undefined, undefined]);
    const GiB = 2 ** 30;
    assert.deepEqual(
      [size(two, "verify-1"), size(two, "verify-2")],
      [String(Math.ceil(2 * 1.2 * GiB)), String(5 * GiB)],
    );
  });

  it("asks each query in its database, the first one if it names none", () => {
    const queries = [
      { name: "orders", sql: "select count(*) > 0 from orders" },
      { name: "admin", database: "postgres", sql: "select true" },
    ];
    const { objects } = planned({ targets: [near], verify: { queries } });
    assert.deepEqual(objects.find(({ id }) => id === "queries")?.object.data, {
      "app.orders": "select count(*) > 0 from orders\n",
      "postgres.admin": "select true\n",
    });
  });

  it("holds no key in a variable, an argument or a ConfigMap", () => {
    const credentials = { accessKeyId: "an-identifier", secretAccessKey: "a-very-secret-key" };
    const s3 = { name: "s3", kind: "s3", bucket: "bucket", credentials };
    const text = JSON.stringify(planned({ targets: [s3, near] }));
    assert.ok(!text.includes(credentials.accessKeyId) && !text.includes(credentials.secretAccessKey));
  });

  it("may reach the stores, and a verification the instances; monitoring may read", () => {
    const { flows } = planned({ targets: [near, far] }, { monitoring: { namespace: "monitoring" } });
    assert.deepEqual(
      flows.map(({ name }) => name),
      [
        "backups-near",
        "backups-far",
        "backup-copy-near",
        "backup-copy-far",
        "verification-near",
        "verification-far",
        "backups-instances",
        "verification-instances",
        "metrics-backups",
      ],
    );
  });

  it("gives no CronJob a name that is too long", () => {
    const named = (length: number) => {
      const input = { ...smallest(), backup: { targets: [near] } };
      const result = check({ ...input, cluster: { ...input.cluster, name: "a".repeat(length) } });
      return "problems" in result ? result.problems.map(sentence).join() : "";
    };
    assert.equal(named(43), "");
    assert.match(
      named(44),
      /cluster\.name: "a+" is not allowed\. Allowed: short enough for the CronJob's name a+-verify-1/,
    );
  });

  // What has another name for Pulumi and the same one in Kubernetes is made, and then deleted as the former one.
  it("is the same object for Pulumi whenever it is the same in Kubernetes, whichever the targets are", () => {
    const id = (backup: object) =>
      new Map(
        planned(backup).objects.map(({ id, object }) => [`${object.kind} ${object.metadata.name}`, id]),
      );
    const before = id({ targets: [near, far] });
    for (const targets of [[far, near], [far, { ...near, name: "new" }], [far]])
      for (const [object, named] of id({ targets }))
        assert.ok([undefined, named].includes(before.get(object)), `${object}: ${named}`);
  });

  it("is done by scripts that a shell, or Python, can read", () => {
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      const bash = ["check.sh", "database.sh", "dump.sh", "heartbeat.sh"].includes(name);
      const { status, stderr } = name.endsWith(".py")
        ? spawnSync("python3", ["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", file])
        : spawnSync(bash ? "bash" : "dash", ["-n", file]);
      assert.equal(status, 0, `${name}: ${String(stderr)}`);
    }
  });
});

describe("the newest finished base backup", () => {
  /** As the scripts choose it, of one that was finished on the first of January, one on the second, and one that wasn't. */
  const chosen = (before: string) => {
    const script = `
      . "${join(folder, "places.sh")}"
      ids() { printf 'c\\nb\\na\\n'; }
      inform() {
        case $2 in
        c) echo status=STARTED ;;
        b) printf 'status=DONE\\nend_time=2026-01-02 00:00:00.123456+00:00\\n' ;;
        a) printf 'status=DONE\\nend_time=2026-01-01 00:00:00.123456+00:00\\n' ;;
        esac >"$3"
      }
      finished place "$(mktemp)" "${before}" || echo none`;
    return spawnSync("dash", ["-c", script], { encoding: "utf8" }).stdout.trim();
  };
  const seconds = (time: string) => String(Date.parse(time) / 1000);

  it("is the newest, or the newest from before a moment", () => {
    assert.equal(chosen(""), "b");
    assert.equal(chosen(seconds("2026-01-03T00:00:00Z")), "b");
    assert.equal(chosen(seconds("2026-01-01T12:00:00Z")), "a");
    assert.equal(chosen(seconds("2025-12-31T00:00:00Z")), "none");
  });
});

describe("what is seen in the targets", () => {
  const answers = { kind: "answers", target: "near", archiveId: "0123456789" } as const;
  const base = { id: "20260101T000000", at: "2026-01-01 00:00:09" };
  const refused = { kind: "refused", target: "far", why: 'AccessDenied: "no"; status code: 403' } as const;

  it("is read line by line, and a line that isn't understood stays as it is", async () => {
    const lines = [{ ...answers, base }, refused].map((one) => JSON.stringify(one));
    const others = [
      "refused;far;403",
      '{"kind":"refused","target":"far"}',
      '{"kind":"kept","why":"of another"}',
    ];
    const settings = checked({ ...smallest(), backup: { targets: [near] } });
    const stdout = `${[...lines, ...others].join("\n")}\n`;
    const kubectl = { run: () => Promise.resolve({ exitCode: 0, stdout, stderr: "" }) };
    assert.deepEqual(await readStatus({ kubectl, settings } as unknown as Subject), [
      { ...answers, base },
      refused,
      ...others.map((line) => ({ kind: "unknown", line })),
    ]);
  });

  it("is told in a sentence", () => {
    assert.equal(
      sentenceOf({ ...answers, wal: { segment: "a", at: "b" } }),
      "target near, archive 0123456789: no base backup yet, WAL until a of b UTC",
    );
    assert.equal(
      sentenceOf({ ...answers, base }),
      "target near, archive 0123456789: newest base backup 20260101T000000 of 2026-01-01 00:00:09 UTC, no WAL yet",
    );
    assert.equal(sentenceOf(refused), 'target far can\'t be read: AccessDenied: "no"; status code: 403');
    assert.equal(
      sentenceOf({ kind: "unknown", line: "refused;far" }),
      "the watcher says what isn't understood: refused;far",
    );
  });
});

describe("a restore that failed", () => {
  /** What is said when the pod that looked for the source ended with these words. */
  async function said(words: string | undefined, restore: object | false = source) {
    const status = { containerStatuses: [{ state: { terminated: { message: words } } }] };
    const kubectl = { list: () => Promise.resolve(words === undefined ? [] : [{ status }]) };
    const settings = checked({ ...smallest(), backup: { targets: [near] }, ...(restore && { restore }) });
    return missingSource({ kubectl, settings } as unknown as Subject);
  }
  const absent = (...archiveIds: string[]) => JSON.stringify({ kind: "absent", archiveIds });
  const source = { target: "near", archiveId: "0123456789", to: { time: "2026-01-01T00:00:00Z" } };

  it("for its source says so, and what is there", async () => {
    assert.equal(
      await said(absent("0123456789", "abcdef0123")),
      'pgplatform:restore.archiveId: "0123456789" is not there, and no cluster was made. Allowed: one with a finished base backup from before 2026-01-01T00:00:00Z in target near, ' +
        "where there are abcdef0123. Fix: name another, and run it again.",
    );
    assert.match((await said(absent())) ?? "", /there are no others\. /);
    assert.match(
      (await said(JSON.stringify({ kind: "unreadable", why: "403" }))) ?? "",
      /^target near, .* can't be read: 403; nothing was made: /,
    );
  });

  it("for its source says with which words, where they aren't understood", async () =>
    assert.equal(
      await said("no such file: source.sh\n"),
      "the search for the source of the restore ended with what isn't understood: no such file: source.sh; no cluster was made: fix that, and run it again.",
    ));

  it("for another reason doesn't", async () => {
    assert.deepEqual(await Promise.all([said(undefined), said(""), said(absent(), false)]), [
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("waited for the source before it made a cluster: the Job is of what is made before it", () => {
    const restored = planned({ targets: [near, far] }, { restore: { ...source, target: "far" } }).objects;
    const job = restored.find(({ id }) => id === "restore-source")?.object;
    assert.equal(job?.kind, "Job");
    const variables = containersOf(job.spec)[0]?.env ?? [];
    const value = (name: string) => variables.find((one) => one.name === name)?.value;
    assert.equal(value("SOURCE"), "target2:backups/postgres/main/0123456789");
    assert.equal(value("TO_SECONDS"), "1767225600");
    assert.ok(!ids({ targets: [near] }).includes("restore-source"));
  });
});

describe("what lies in the targets", () => {
  it("is listed line by line", async () => {
    const at = (target: string) => ({ target, archiveId: "0123456789" });
    const base = { kind: "base", ...at("near"), id: "20260101T000000", begin: "2026-01-01 00:00" };
    const whole = { ...base, status: "DONE", end: "2026-01-01 00:01", bytes: 1048576 };
    const stdout = [
      { kind: "wal", ...at("near"), segment: "000000010000000000000004", at: "2026-01-01 00:00:09" },
      { ...whole, verdict: "passed" },
      whole,
      { ...base, status: "STARTED", end: "", bytes: null },
      { kind: "wal", ...at("far") },
      { kind: "dump", ...at("far"), id: "20260101T050000", bytes: 3145728 },
      { kind: "dump", ...at("far"), id: "20260102T050000", bytes: null },
      { kind: "refused", target: "other", why: "403; no" },
      { kind: "dump", ...at("far"), id: "20260103T050000", bytes: "many" },
    ]
      .map((row) => JSON.stringify(row))
      .join("\n");
    const settings = checked({ ...smallest(), backup: { targets: [near] } });
    const kubectl = { run: () => Promise.resolve({ exitCode: 0, stdout, stderr: "" }) };
    const rows = await listed({ kubectl, settings } as unknown as Subject);
    assert.deepEqual(rows.map(rowLine), [
      "near  0123456789  WAL until 000000010000000000000004 of 2026-01-01 00:00:09 UTC",
      "near  0123456789  20260101T000000  1.0 MiB  from 2026-01-01 00:00 to 2026-01-01 00:01  verification passed",
      "near  0123456789  20260101T000000  1.0 MiB  from 2026-01-01 00:00 to 2026-01-01 00:01  not verified",
      "near  0123456789  20260101T000000  not finished (STARTED)",
      "far  0123456789  no WAL",
      "far  0123456789  dump 20260101T050000  3.0 MiB  of 2026-01-01 05:00:00 UTC",
      "far  0123456789  dump 20260102T050000  not finished",
      "other  can't be read: 403; no",
      'the watcher says what isn\'t understood: {"kind":"dump","target":"far","archiveId":"0123456789","id":"20260103T050000","bytes":"many"}',
    ]);
    assert.deepEqual(summaryOf(rows), {
      line: "the list isn't whole: 2 of 9 lines say what can't be read.",
      exit: 3,
    });
    assert.equal(summaryOf(rows.slice(0, 7)).exit, 0);
  });
});

describe("WAL that isn't archived yet", () => {
  let settings: Settings;
  before(() => {
    settings = checked({ ...smallest(), backup: { targets: [near] } });
  });
  /** The primary answers with this; undefined: there is none. */
  function asked(stdout: string | undefined) {
    const calls: string[][] = [];
    const pods = stdout === undefined ? [] : [{ metadata: { name: "main-1" } }];
    const kubectl = {
      list: (_: string, namespace: string, selector: string) => {
        calls.push([namespace, selector]);
        return Promise.resolve(pods);
      },
      run: (args: string[]) => {
        calls.push(args);
        return Promise.resolve({ exitCode: stdout === "" ? 1 : 0, stdout: stdout ?? "", stderr: "" });
      },
    };
    const subject = { kubectl, settings, engine: cnpg, live } as unknown as Subject;
    return { calls, answer: waitingLog(subject) };
  }

  it("is counted at the primary", async () => {
    const { calls, answer } = asked('{"kind" : "waiting", "segments" : 12, "seconds" : 95}\n');
    assert.deepEqual(await answer, { kind: "waiting", segments: 12, seconds: 95 });
    assert.match(calls[0]?.join(" ") ?? "", /^postgres .*cnpg\.io\/instanceRole=primary/);
    assert.match(calls[1]?.join(" ") ?? "", /exec main-1 -c postgres .* pg_ls_archive_statusdir/);
  });

  it("is unknown without a primary, or one that doesn't answer", async () => {
    for (const stdout of [undefined, ""]) assert.equal(await asked(stdout).answer, undefined);
    await assert.rejects(asked("12|95").answer, /the primary answers what isn't understood: 12\|95$/);
  });
});

describe("what waits for a backup", () => {
  let settings: Settings;
  before(() => {
    settings = checked({ ...smallest(), backup: { targets: [near] } });
  });
  /** `make up` waits for an engine that is never done; the watcher's file says `seen`, one answer after the other. */
  async function waiting(seen: string[], patienceMs = 50): Promise<{ ended: string; looks: number }> {
    let looks = 0;
    const run = () => {
      const stdout = seen[Math.min(looks++, seen.length - 1)] ?? "";
      return Promise.resolve({ exitCode: stdout === "" ? 1 : 0, stdout: `${stdout}\n`, stderr: "" });
    };
    const subject = { kubectl: { run }, settings, engine: cnpg, live } as unknown as Subject;
    const none = new AbortController().signal;
    const work = async (signal: AbortSignal) => {
      for (let tries = 0; tries < 100 && !signal.aborted; tries++) await delay(5);
      signal.throwIfAborted();
    };
    const ended = await whileAnswered(subject, none, work, { everyMs: 5, patienceMs }).then(
      () => "well",
      (error: Error) => error.message,
    );
    return { ended, looks };
  }
  const refusal = (target: string, why: string) => JSON.stringify({ kind: "refused", target, why });
  const refused = refusal("near", "Forbidden: Forbidden status code: 403");
  const answers = JSON.stringify({ kind: "answers", target: "near", archiveId: "0123456789" });

  it("ends with the words of a store that keeps refusing", async () => {
    const { ended } = await waiting([answers, refused]);
    assert.equal(
      ended,
      "pgplatform:backup.targets[0]: target near can't be read: Forbidden: Forbidden status code: 403. Allowed: a store that answers. Fix: correct the target, and run `make up` again.",
    );
  });

  it("continues when the store answers, after a refusal too, when the copy's refuses, and while there is no watcher", async () => {
    for (const seen of [
      [answers],
      [refused, refused, answers],
      [`${answers}\n${refusal("far", "403")}`],
      ["what?"],
      [""],
    ]) {
      // A crowded machine may be long about three looks.
      const { ended, looks } = await waiting(seen, 20_000);
      assert.equal(ended, "well", seen.join());
      assert.ok(looks > 20);
    }
  });
});

describe("an archive that goes elsewhere", () => {
  let settings: Settings;
  let plan: ReturnType<typeof cnpg.plan>;
  before(() => {
    settings = checked({ ...smallest(), backup: { targets: [far, near] } });
    plan = cnpg.plan(settings);
  });
  const subjectOf = (kubectl: object) =>
    ({ kubectl, settings, engine: cnpg, live, plan }) as unknown as Subject;
  const watcherOf = (...targets: object[]) =>
    planned({ targets }).objects.find(({ id }) => id === "watch")?.object;

  it("is known by where the watcher that runs looks for it, and by the archive's ID", async () => {
    const now = (live: object | undefined) => archiveNow(subjectOf({ get: () => Promise.resolve(live) }));
    const withId = (id: string, ...targets: object[]) =>
      JSON.parse(JSON.stringify(watcherOf(...targets)).replaceAll("{archiveId}", id)) as object;
    assert.equal(await now(undefined), undefined);
    assert.equal(await now(withId("0123456789", far)), await now(withId("0123456789", far, near)));
    assert.notEqual(await now(withId("0123456789", far)), await now(withId("0123456789", near, far)));
    assert.notEqual(await now(withId("0123456789", far)), await now(withId("9876543210", far)));
  });

  it("has a base backup made there, however often that fails at first, and what the copy left doesn't count", async () => {
    const segment = (last: number) => `00000001000000000000000${last}`;
    const status = (baseAt: string, wal: number, at: string) =>
      JSON.stringify({
        kind: "answers",
        target: "far",
        archiveId: "0123456789",
        base: { id: "a", at: baseAt },
        wal: { segment: segment(wal), at },
      });
    const copied = status("2026-01-01 00:00:00", 9, "2026-01-02 00:00:00");
    const own = status("2026-01-02 00:00:05", 6, "2026-01-02 00:00:09");
    const half = status("2026-01-02 00:00:05", 5, "2026-01-02 00:00:08");
    const asked: string[] = [];
    const phases = ["failed", "failed", "completed"];
    const seen = [copied, half, own];
    const made: { metadata: object }[] = [];
    const said: string[] = [];
    const context = { say: (text: string) => said.push(text), detail: () => undefined };
    const subject = subjectOf({
      apply: (object: { metadata: object }) => Promise.resolve(void made.unshift(object)),
      list: (kind: string) =>
        Promise.resolve(
          kind === "pods"
            ? [{ metadata: { name: "main-1" } }]
            : made.map((one) => ({ ...one, status: { phase: phases[made.length - 1], error: "no key" } })),
        ),
      run: (command: string[]) => {
        if (command.includes("psql")) {
          asked.push(command.filter((_, index) => command[index - 1] === "-c").join("; "));
          return Promise.resolve({ exitCode: 0, stdout: `0/1\n${segment(6)}\n`, stderr: "" });
        }
        assert.equal(made.length, 3, "no status is read before a base backup is made");
        const line = seen.length > 1 ? seen.shift() : seen[0];
        return Promise.resolve({ exitCode: 0, stdout: `${line}\n`, stderr: "" });
      },
    });
    const none = new AbortController().signal;
    const moved = new Date("2026-01-02T00:00:00Z");
    await firstBackup(subject, context, none, moved, { retryMs: 1 });
    assert.deepEqual(
      said.map((text) => text.slice(0, 50)),
      [
        "WAL goes to another archive: a base backup is made",
        "WAL is archived: target far, archive 0123456789: n",
      ],
    );
    assert.deepEqual(seen, [own], "neither the copy's nor half of it was enough");
    // The backup that is made needs no WAL from the former place, and an idle server archives the end of its own.
    const ends = /emit_message.*; select pg_walfile_name\(pg_switch_wal\(\)\)$/;
    assert.equal(asked.length, 7);
    for (const try_ of [0, 2, 4]) {
      assert.match(asked[try_] ?? "", ends);
      assert.match(asked[try_ + 1] ?? "", /checkpoint$/);
    }
    assert.match(asked[6] ?? "", ends);
  });
});

describe("a verification's report", () => {
  const good = {
    kind: "report",
    target: "near",
    archiveId: "0123456789",
    result: "passed",
    backup: "20260101T000000",
    to: "",
    at: "2026-01-01T00:00:00Z",
    why: "",
    note: "",
    rpoSeconds: 7,
    rtoSeconds: 12,
    bytes: 30 * 2 ** 20,
    pages: 3840,
    segment: "000000010000000000000004",
    schemas: ["app 0123456789abcdef"],
    queries: [],
    dump: "",
    dumpBytes: null,
    dumpNote: "",
    expiry: "done",
  } satisfies Parameters<typeof verdictOf>[1];

  it("is found among other lines", () => {
    const text = JSON.stringify(good);
    assert.deepEqual(reportIn(`a line {\n${text}\nthe end\n`), good);
    assert.deepEqual(reportIn("first\nlast\n"), { kind: "unknown", line: "last" });
    assert.deepEqual(reportIn(""), { kind: "unknown", line: "" });
    const other = text.replace("passed", "perhaps");
    assert.deepEqual(reportIn(`${other}\nlast\n`), { kind: "unknown", line: other });
  });

  it("is told in a sentence", () => {
    assert.equal(
      verdictOf("near", good),
      "target near, base backup 20260101T000000, is restored and whole: 30 MiB in 12 s, newest transaction 7 s old",
    );
    assert.match(verdictOf("near", { ...good, expiry: "no right" }), /\(expiry: no right\)$/);
    const dump = { dump: "20260101T050000", dumpBytes: 3 * 2 ** 20, dumpNote: "" };
    assert.match(verdictOf("near", { ...good, ...dump }), /7 s old, dump 20260101T050000 of 3\.0 MiB$/);
    assert.match(
      verdictOf("near", { ...good, dump: "", dumpBytes: null, dumpNote: "no right" }),
      /old \(no dump: no right\)$/,
    );
    assert.equal(
      verdictOf("near", { ...good, to: "2026-01-01T01:00:00Z", expiry: "not now" }),
      "target near, base backup 20260101T000000, is restored to 2026-01-01T01:00:00Z and whole: 30 MiB in 12 s, newest transaction 7 s old then",
    );
    assert.equal(
      verdictOf("near", { ...good, result: "failed", why: "a page is damaged" }),
      "the restore of target near, base backup 20260101T000000, failed: a page is damaged",
    );
  });
});

describe("a verification that an operator asks for", () => {
  const context = { detail: () => undefined, say: () => undefined };
  /** The Job that is made; the run ends there. */
  async function jobFor(to?: string) {
    const settings = checked({ ...smallest(), backup: { targets: [near] } });
    const { jobTemplate } = specOf({ targets: [near] }, "verify-1") as unknown as {
      jobTemplate: { spec: object };
    };
    const applied: object[] = [];
    const kubectl = {
      run: () =>
        Promise.resolve({ exitCode: 0, stdout: JSON.stringify({ spec: jobTemplate.spec }), stderr: "" }),
      apply: (object: object) => {
        applied.push(object);
        return Promise.reject(new Error("made"));
      },
    };
    const subject = { kubectl, settings } as unknown as Subject;
    return { applied, error: await verify(subject, "near", to, context).then(String, String) };
  }

  it("is told the moment in every container, or nothing", async () => {
    const values = async (to?: string) => {
      const { applied, error } = await jobFor(to);
      assert.equal(error, "Error: made");
      const found = containersOf(applied).map(({ env }) =>
        env.flatMap(({ name, value }) => (name.startsWith("TO") ? `${name}=${value}` : [])).join(),
      );
      assert.equal(found.length, 6);
      return [...new Set(found)];
    };
    assert.deepEqual(await values(), [""]);
    const moment = "2026-01-01T01:00:00.5+01:00";
    assert.deepEqual(await values(moment), [
      `TO=${moment},TO_SECONDS=${Date.parse("2026-01-01T00:00:00Z") / 1000}`,
    ]);
  });

  it("is refused for what is no moment", async () => {
    const { applied, error } = await jobFor("yesterday");
    assert.deepEqual(applied, []);
    assert.match(
      error,
      /TIME: "yesterday" is not allowed\. Allowed: a time with its zone, such as 2026-01-31T23:59:00Z or 2026-01-31 23:59:00\+01\. Fix: write /,
    );
  });
});

describe("the longest pause of a schedule", () => {
  for (const [schedule, seconds] of [
    ["*/15 * * * *", 900],
    ["0 5 * * *", 86_400],
    ["0 5 * * 0", 7 * 86_400],
    ["0 8,20 * * *", 12 * 3600],
  ] as const)
    it(`${schedule} is ${seconds} s`, () => assert.equal(longestPause(schedule), seconds));
});
