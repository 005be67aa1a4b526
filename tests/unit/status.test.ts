import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { Kubectl, type KubeObject } from "../../operations/kubectl";
import { assess, changesOf } from "../../operations/status/assess";
import { heardIn, writtenIn } from "../../operations/status/ask";
import { exitOf, lookOf } from "../../operations/status/command";
import { firingIn } from "../../operations/status/alerts";
import { backupsIn, gather } from "../../operations/status/gather";
import { missed } from "../../operations/status/helperRule";
import { helperRole } from "../../operations/status/helpers";
import { acrossPods, refusedIn } from "../../operations/status/logins";
import { poolsIn } from "../../operations/status/poolers";
import { lastEnd, unreadiness } from "../../operations/status/pods";
import { report, type Report } from "../../operations/status/report";
import { screen, table, wrapped } from "../../operations/status/screen";
import { age, counted, size } from "../../operations/status/words";
import { commands } from "../../operations/command/table";
import { backupRoles } from "../../plan/backup/names";
import { clusterLabel } from "../../plan/names";
import { logs as poolerLogs } from "../../plan/pooler/logs";
import { projectDir } from "../../shell/paths";
import {
  engines,
  foundOf,
  instanceNames,
  labelsOf,
  node,
  NOW,
  pod,
  type Scene,
  sceneOf,
  unreadyPod,
} from "../support/onCall";

const standbyEngines = engines.filter((name) => name !== "standalone");

function look(
  engine: (typeof engines)[number],
  spoil: (scene: Scene, names: string[]) => void = () => undefined,
) {
  const found = foundOf(engine);
  const scene = sceneOf(found);
  spoil(scene, instanceNames(found));
  return assess(found, scene, NOW * 1000);
}

const lines = (of: Report, width = 80) => screen(of, { width, colour: false });

describe("pgp status", () => {
  for (const engine of engines)
    it(`says of a platform of ${engine} that is well that writes work, since when, and that nothing is wrong`, () => {
      const all = look(engine);
      assert.deepEqual(all.problems, []);
      assert.equal(exitOf(all), 0);
      const text = lines(all).join("\n");
      assert.match(
        text,
        /^Writes work since 2026-11-29 19:30:00 UTC \(30 min\): a row was written at main-\d\s+in\s+12\s+ms\./,
      );
      assert.match(text, /Nothing is wrong\./);
      report.parse(all);
    });

  it("names the forced failover where an operator waits for the end of a former primary that no longer answers", () => {
    const said = (standbyAnswers: boolean, ready = false) => {
      const { problems } = look("cnpg", (scene, [primary = "", ...others]) => {
        scene.cluster = { ...scene.cluster!, status: { currentPrimary: primary } };
        const labels = labelsOf(foundOf("cnpg"), false);
        scene.pods[0] = ready ? pod(primary, labels) : unreadyPod(primary, labels, "");
        for (const name of standbyAnswers ? [primary] : [primary, ...others]) scene.heard.delete(name);
        scene.written.clear();
      });
      return [problems[0]?.what, problems[0]?.next];
    };
    assert.deepEqual(said(true), [
      "no instance is called the primary; main-1, which was it, is not ready, and its end is waited for",
      "pgp failover",
    ]);
    assert.equal(said(false)[1], "pgp logs --no-follow --since 30m", "none could lead");
    assert.deepEqual(said(true, true), [
      "no instance is called the primary",
      "pgp logs --no-follow --since 30m",
    ]);
  });

  it("counts from the start of a primary that started after its promotion", () => {
    const all = look("cnpg", ({ heard }, [primary = ""]) => {
      const heardOfIt = heard.get(primary)!;
      heard.set(primary, { ...heardOfIt, answer: { ...heardOfIt.answer!, startedAt: NOW - 60 } });
    });
    assert.equal(all.writes.since, "2026-11-29T19:59:00.000Z");
  });

  /** What is spoiled, what the first line or a problem says, the next command, and the page. */
  const cases: Record<
    string,
    {
      spoil: (scene: Scene, names: string[]) => void;
      works: boolean;
      says: RegExp;
      next: RegExp;
      page?: string;
      elsewhere?: string;
    }
  > = {
    "a primary that hangs": {
      spoil: ({ heard, written }, [primary = ""]) => {
        heard.set(primary, heardIn("silent 124 \n"));
        written.set(primary, writtenIn("failed 124 \n"));
      },
      works: false,
      says: /^main-\d, the primary: PostgreSQL takes connections and does not answer: it hangs$/,
      next: /^pgp (?:failover|restart main-0)$/,
      page: "postgresql-down",
    },
    "a primary's pod that is gone": {
      spoil: (scene, [primary = ""]) => {
        scene.pods.shift();
        scene.heard.delete(primary);
        scene.written.clear();
      },
      works: false,
      says: /^no instance (?:is called the primary|runs)$/,
      next: /^pgp logs/,
      page: "postgresql-down",
    },
    "a primary that hangs and is no longer called so": {
      spoil: (scene, [primary = ""]) => {
        scene.pods[0] = pod(primary, { unlabelled: "by its operator" });
        scene.heard.set(primary, heardIn("silent 124 \n"));
        scene.written.clear();
      },
      works: false,
      says: /^(?:no instance is called the primary, and main-\d takes connections and does not answer: it hangs|main-0, the primary: PostgreSQL takes connections and does not answer: it hangs)$/,
      next: /^pgp (?:failover|restart main-0)$/,
      page: "postgresql-down",
    },
    "a primary on a node that is off": {
      spoil: (scene, [primary = ""]) => {
        scene.heard.set(primary, {
          fills: [],
          silence: "its pod can't be reached within 3.6 s",
          hangs: false,
        });
        scene.written.set(primary, { why: "its pod can't be reached within 3.6 s", waitsForStandby: false });
        scene.nodes = [node(`n${primary.slice(-1)}`, false)];
      },
      works: false,
      says: /^main-\d is on node n\d, which is not ready$/,
      next: /^kubectl --context test describe node n\d$/,
      page: "node-not-ready",
    },
    "poolers of which no pod is ready": {
      spoil: (scene) => {
        scene.poolers = [{ name: "app", wanted: 2, pods: [] }];
      },
      works: false,
      says: /^no pod of a pooler is ready; main-\d, the primary, takes writes from those who reach it directly$/,
      next: /get pods -l app\.kubernetes\.io\/name=pgbouncer/,
      page: "pooler-down",
    },
    "commits that wait for a standby": {
      spoil: ({ written }, [primary = ""]) => {
        written.set(
          primary,
          writtenIn("failed 124 WARNING:  canceling wait for synchronous replication due to user request"),
        );
      },
      works: false,
      says: /^main-\d, the primary: a commit waits for a synchronous standby, and none confirms it$/,
      next: /^pgp logs/,
      page: "no-synchronous-standby",
    },
    "a full volume": {
      spoil: ({ written }, [primary = ""]) => {
        written.set(primary, writtenIn("failed 3 ERROR:  could not extend file: No space left on device"));
      },
      works: false,
      says: /No space left on device$/,
      next: /^pgp logs/,
      page: "data-volume-full-soon",
    },
    "a volume that fills": {
      spoil: ({ heard }, [primary = ""]) => {
        heard.set(primary, {
          ...heard.get(primary)!,
          fills: [{ holds: "wal", bytes: 1000, usedBytes: 900 }],
        });
      },
      works: true,
      says: /^the wal volume of main-\d is 90 % full/,
      next: /pg_replication_slots/,
      page: "wal-volume-filling",
    },
    "a store that is away": {
      spoil: (scene) => {
        scene.backups = {
          targets: [{ kind: "refused", target: "near", why: "it doesn't answer within 15 s" }],
          verified: new Map(),
        };
      },
      works: true,
      says: /^target near can't be read: it doesn't answer within 15 s$/,
      next: /^pgp backups$/,
      page: "target-down",
    },
    "an archive that fails": {
      spoil: ({ heard }, [primary = ""]) => {
        const one = heard.get(primary)!;
        heard.set(primary, {
          ...one,
          answer: { ...one.answer!, archiveFailed: NOW - 5, waitingSegments: 9 },
        });
      },
      works: true,
      says: /^WAL is not archived \(9 segments wait\)$/,
      next: /^pgp logs/,
      page: "wal-archiving-failed",
    },
    "WAL that waits to be archived": {
      spoil: ({ heard }, [primary = ""]) => {
        const one = heard.get(primary)!;
        heard.set(primary, { ...one, answer: { ...one.answer!, waitingSegments: 12 } });
      },
      works: true,
      says: /^12 WAL segments wait to be archived$/,
      next: /^pgp logs/,
      page: "archive-backlog",
    },
    "a base backup on the volume that failed": {
      spoil: (scene) => {
        scene.volumeBackup = { name: "main-base-1", phase: "failed", why: "no room" };
      },
      works: true,
      says: /^the newest base backup: main-base-1: no room$/,
      next: /^pgp backup$/,
      page: "backup-old",
    },
    "no base backup on the volume": {
      spoil: (scene) => {
        scene.volumeBackup = { why: "no base backup yet" };
      },
      works: true,
      says: /^the newest base backup: no base backup yet$/,
      next: /^pgp backup$/,
      page: "never-backed-up",
    },
    "sessions that wait for a lock": {
      spoil: ({ heard }, [primary = ""]) => {
        const one = heard.get(primary)!;
        heard.set(primary, { ...one, answer: { ...one.answer!, blocked: 2, blockedSeconds: 65 } });
      },
      works: true,
      says: /^2 sessions wait for a lock, the first for 65 s$/,
      next: /^pgp blockers$/,
      page: "blocked-sessions",
    },
    "clients that wait at a pooler without a connection": {
      spoil: (scene) => {
        const [one] = scene.poolers;
        scene.poolers = [
          { ...one!, pools: [{ ...one!.pools![0]!, waiting: 4, waitSeconds: 9, active: 0, idle: 0 }] },
        ];
      },
      works: true,
      says: /^4 clients of the pooler app wait, and it has no connection to PostgreSQL$/,
      next: /^pgp pooler show$/,
      page: "pooler-login-failing",
    },
    "a certificate that ends": {
      spoil: (scene) => {
        scene.certificates = [
          { what: "server", secret: "main-server", ends: new Date((NOW + 86_400) * 1000).toISOString() },
        ];
      },
      works: true,
      says: /^the server certificate \(Secret main-server\) ends in 24 h$/,
      next: /^(?:pgp up|kubectl --context test -n cnpg-system logs deployment\/cnpg-controller-manager --since=1h)$/,
      page: "certificate-ends-soon",
    },
    "a program with a wrong password": {
      spoil: (scene) => {
        scene.refusedLogins = ["main-pooler-app-1", "main-pooler-app-2"].map((name) => ({
          pod: name,
          role: "app",
          why: "password authentication failed",
          count: 2,
          from: ["198.18.1.7"],
        }));
      },
      works: true,
      says: /^4 logins as app were refused in the last 10 minutes by main-pooler-app-1 and main-pooler-app-2, from 198\.18\.1\.7: password authentication failed$/,
      next: /^pgp logs --no-follow --since 10m --level error$/,
      elsewhere: "connect.md#a-login-that-is-refused",
    },
    "a verification that failed": {
      spoil: (scene) => {
        scene.backups = { ...scene.backups!, verified: new Map([["near", { at: NOW - 60, passed: false }]]) };
      },
      works: true,
      says: /^the last verification of target near failed$/,
      next: /^pgp verify --target near$/,
      page: "verification-failed",
    },
    "a watchdog without a pod": {
      spoil: (scene) => (scene.idle = [{ name: "main-watchdog", role: "watchdog" }]),
      works: true,
      says: /^no pod of main-watchdog is ready: a primary that hangs is replaced late, by the operator alone$/,
      next: /^kubectl --context test -n postgres describe deployment main-watchdog$/,
      elsewhere: "failover.md#the-watchdog",
    },
    "a monitor without a pod": {
      spoil: (scene) => (scene.idle = [{ name: "main-monitor", role: "monitor" }]),
      works: true,
      says: /^no pod of main-monitor is ready: nothing tells of certificates that end$/,
      next: /describe deployment main-monitor$/,
      page: "metrics-absent",
    },
    "parameters that wait for a restart": {
      spoil: ({ heard }, [primary = ""]) => {
        const one = heard.get(primary)!;
        heard.set(primary, { ...one, answer: { ...one.answer!, pendingRestart: 2 } });
      },
      works: true,
      says: /^2 parameters wait for a restart$/,
      next: /^pgp restart --rolling$/,
      page: "pending-restart",
    },
    "a database that only reads": {
      spoil: ({ heard }, [primary = ""]) => {
        const one = heard.get(primary)!;
        heard.set(primary, { ...one, answer: { ...one.answer!, readOnly: true } });
      },
      works: true,
      says: /^default_transaction_read_only is on/,
      next: /^pgp psql/,
    },
  };
  for (const [what, { spoil, works, says, next, page, elsewhere }] of Object.entries(cases))
    for (const engine of engines)
      it(`names ${what}, the next command and its page, with ${engine}`, () => {
        const all = look(engine, spoil);
        assert.equal(all.writes.work, works, all.writes.why);
        assert.equal(exitOf(all), works ? 4 : 3);
        const found = all.problems.find(({ what: text }) => says.test(text));
        assert.ok(found, JSON.stringify(all.problems));
        assert.match(found.next, next);
        assert.equal(found.runbook, page === undefined ? elsewhere : `runbooks/${page}.md`);
        const text = lines(all).join("\n");
        assert.match(text, works ? /^Writes work/ : /^WRITES DO NOT WORK: /);
        if (page !== undefined) assert.ok(text.includes(`page: docs/runbooks/${page}.md`));
      });

  for (const engine of standbyEngines) {
    const more: Record<
      string,
      { spoil: (scene: Scene, names: string[]) => void; says: RegExp; page: string }
    > = {
      "a standby that is cut off": {
        spoil: ({ heard }, [primary = "", standby = ""]) => {
          const one = heard.get(primary)!;
          const rest = one.answer!.standbys.filter(({ name }) => name !== standby);
          heard.set(primary, { ...one, answer: { ...one.answer!, standbys: rest } });
        },
        says: /^main-\d does not stream from the primary$/,
        page: "standby-not-streaming",
      },
      "a standby that is behind": {
        spoil: ({ heard }, [, standby = ""]) => {
          const one = heard.get(standby)!;
          heard.set(standby, { ...one, answer: { ...one.answer!, lsn: 0, lastCommit: NOW - 300 } });
        },
        says: /^main-\d is 5 min \(20\.0 MiB\) behind the primary$/,
        page: "replication-lag",
      },
      "two that take writes": {
        spoil: ({ heard }, [primary = "", other = ""]) => {
          heard.set(other, heard.get(primary)!);
        },
        says: /^main-\d and main-\d both take writes$/,
        page: "two-primaries",
      },
      "an instance that is missing": {
        spoil: (scene) => void scene.pods.pop(),
        says: /^2 of 3 instances are there$/,
        page: "instances-missing",
      },
      "an instance that crashes": {
        spoil: (scene, names) => {
          scene.pods[2] = unreadyPod(names[2]!, labelsOf(foundOf(engine), false), "CrashLoopBackOff");
        },
        says: /^main-\d: container postgres: CrashLoopBackOff$/,
        page: "instances-missing",
      },
      "an operator that is away": {
        spoil: (scene) => (scene.operatorReady = false),
        says: /^no pod of the operator is ready/,
        page: "operator-down",
      },
      "no standby that confirms commits": {
        spoil: ({ heard }, [primary = ""]) => {
          const one = heard.get(primary)!;
          const standbys = one.answer!.standbys.map((standby) => ({ ...standby, sync: "async" }));
          heard.set(primary, { ...one, answer: { ...one.answer!, standbys } });
        },
        says: /^no standby confirms commits$/,
        page: "no-synchronous-standby",
      },
    };
    for (const [what, { spoil, says, page }] of Object.entries(more))
      it(`names ${what}, with ${engine}`, () => {
        const all = look(engine, spoil);
        const found = all.problems.find(({ what: text }) => says.test(text));
        assert.ok(found, JSON.stringify(all.problems));
        assert.equal(found.runbook, `runbooks/${page}.md`);
      });
  }

  it("says what holds a cluster of each engine up, and how it ends", () => {
    const fenced = look("cnpg", (scene) => {
      scene.cluster = {
        ...scene.cluster!,
        metadata: { ...scene.cluster!.metadata, annotations: { "cnpg.io/fencedInstances": '["main-2"]' } },
      };
    });
    assert.deepEqual(
      fenced.problems.map(({ what, next }) => [what, next]),
      [["main-2 is fenced: PostgreSQL is kept down there", "pgp unfence"]],
    );
    const asleep = look("zalando", (scene) => {
      scene.cluster = { ...scene.cluster!, spec: { ...scene.cluster!.spec, numberOfInstances: 0 } };
    });
    assert.equal(asleep.problems[0]?.next, "pgp wake");
    const server = look("standalone", (scene) => {
      scene.cluster = { ...scene.cluster!, spec: { ...scene.cluster!.spec, replicas: 0 } };
    });
    assert.equal(server.problems[0]?.next, "pgp wake");
  });

  it("adds the alerts that fire and that nothing else has said", () => {
    const all = look("cnpg", (scene) => {
      scene.alerts = [
        { name: "DeadTuplesHigh", severity: "warning", summary: "many dead rows" },
        { name: "NotOurs", severity: "critical", summary: "of another program" },
      ];
    });
    assert.deepEqual(
      all.problems.map(({ what, runbook }) => [what, runbook]),
      [["alert DeadTuplesHigh: many dead rows", "runbooks/dead-tuples-high.md"]],
    );
    const alert = (labels: object, state = "firing") => ({ state, labels, annotations: { summary: "s" } });
    const ours = { alertname: "A", namespace: "postgres", cluster: "main", severity: "warning" };
    assert.deepEqual(
      firingIn(
        { data: { alerts: [alert(ours), alert(ours, "pending"), alert({ ...ours, cluster: "other" })] } },
        "postgres",
        "main",
      ),
      [{ name: "A", severity: "warning", summary: "s" }],
    );
  });

  it("leads to pages that are there, and to commands that are there", () => {
    const names = new Set(commands.map(({ name }) => name));
    const text = readFileSync(join(projectDir, "operations/status/problems.ts"), "utf8");
    const next = [...text.matchAll(/[`"]pgp ([a-z]+(?: show| minor)?)/g)].map(([, name = ""]) => name);
    assert.ok(next.length > 15);
    for (const name of next) assert.ok(names.has(name), name);
    for (const { spoil } of Object.values(cases))
      for (const { runbook } of look("cnpg", spoil).problems)
        if (runbook !== undefined) {
          const [file = "", section] = runbook.split("#");
          const text = readFileSync(join(projectDir, "docs", file), "utf8");
          const titles = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
            title.toLowerCase().replaceAll(" ", "-"),
          );
          assert.ok(section === undefined || titles.includes(section), runbook);
        }
  });

  it("puts what one change left in several places together", () => {
    const found = foundOf("zalando");
    const scene = sceneOf(found);
    const [primary = ""] = instanceNames(found);
    scene.changes = [
      { at: new Date((NOW - 1795) * 1000).toISOString(), why: "Patroni: new leader", timeline: 2, primary },
      { at: new Date((NOW - 90_000) * 1000).toISOString(), why: "Patroni: of before", timeline: 1 },
    ];
    scene.pods[1] = pod("main-1", labelsOf(found, false), {
      status: {
        containerStatuses: [
          {
            name: "postgres",
            ready: true,
            restartCount: 1,
            lastState: {
              terminated: {
                reason: "OOMKilled",
                exitCode: 137,
                finishedAt: new Date((NOW - 1805) * 1000).toISOString(),
              },
            },
          },
        ],
      },
    });
    const [first, second, ...rest] = changesOf(scene);
    assert.deepEqual(rest, []);
    assert.deepEqual(first, {
      at: "2026-11-29T19:30:00.000Z",
      timeline: 2,
      primary,
      why: "promoted at 0/5000000; Patroni: new leader; main-1: container postgres: OOMKilled, exit code 137",
    });
    assert.equal(second?.why, "Patroni: of before");
  });
});

describe("the screen of pgp status", () => {
  it("is no wider than the terminal, and says what it leaves out by leaving columns out", () => {
    for (const width of [60, 80, 120, 200])
      for (const engine of engines)
        for (const line of lines(look(engine), width))
          assert.ok(line.length <= width, `${line.length}: ${line}`);
    assert.ok(lines(look("cnpg"), 200).some((line) => /Zone/.test(line) && /Restarts/.test(line)));
    assert.ok(!lines(look("cnpg"), 60).some((line) => /Restarts/.test(line)));
  });

  it("has colours on a terminal only, and none with NO_COLOR", () => {
    const escape = "\u001b[";
    assert.ok(screen(look("cnpg"), { width: 80, colour: true }).join("").includes(escape));
    assert.ok(!lines(look("cnpg")).join("").includes(escape));
    const before = process.env.NO_COLOR;
    try {
      delete process.env.NO_COLOR;
      assert.deepEqual(lookOf({ isTTY: true, columns: 132 }), { width: 132, colour: true });
      assert.deepEqual(lookOf({}), { width: 200, colour: false });
      process.env.NO_COLOR = "1";
      assert.equal(lookOf({ isTTY: true, columns: 132 }).colour, false);
    } finally {
      if (before === undefined) delete process.env.NO_COLOR;
      else process.env.NO_COLOR = before;
    }
  });

  it("aligns, and leaves columns out that are empty", () =>
    assert.deepEqual(
      table(
        [{ title: "A" }, { title: "Nothing" }, { title: "N", right: true }],
        [
          ["x", "", "10"],
          ["longer", "", "5"],
        ],
        {
          width: 80,
        },
      ),
      ["  A        N", "  x       10", "  longer   5"],
    ));

  it("has numbers as a person reads them", () => {
    assert.deepEqual([0, 1023, 1536, 200 * 2 ** 20, 5 * 2 ** 40].map(size), [
      "0 B",
      "1023 B",
      "1.5 KiB",
      "200 MiB",
      "5.0 TiB",
    ]);
    assert.deepEqual([0, 119, 120, 7260, 7300, 200_000, 9e6].map(age), [
      "0 s",
      "119 s",
      "2 min",
      "121 min".replace("121 min", "2 h 1 min"),
      "2 h 1 min",
      "2 d 7 h",
      "104 d",
    ]);
    assert.deepEqual(
      [0, 1, 2].map((count) => counted(count, "segment waits", "segments wait")),
      ["0 segments wait", "1 segment waits", "2 segments wait"],
    );
    assert.deepEqual(wrapped("one two three", 8, "  "), ["one two", "  three"]);
  });
});

describe("what status reads", () => {
  it("of the exporter of a pooler leaves PgBouncer's own and the platform's alias out", () => {
    const text = [
      "# HELP pgbouncer_up …",
      "pgbouncer_up 1",
      'pgbouncer_pools_client_active_connections{database="app",user="app"} 5',
      'pgbouncer_pools_client_waiting_connections{database="app",user="app"} 2',
      'pgbouncer_pools_client_maxwait_seconds{database="app",user="app"} 3',
      'pgbouncer_pools_server_active_connections{database="app",user="app"} 4',
      'pgbouncer_pools_server_idle_connections{database="app",user="app"} 1',
      'pgbouncer_pools_server_login_connections{database="app",user="app"} 1',
      'pgbouncer_pools_client_active_connections{database="pgplatform_auth",user="pgp_pooler"} 9',
      'pgbouncer_pools_client_active_connections{database="pgbouncer",user="pgp_stats"} 1',
    ].join("\n");
    assert.deepEqual(poolsIn("p", text), [
      {
        pod: "p",
        database: "app",
        role: "app",
        clients: 7,
        waiting: 2,
        waitSeconds: 3,
        active: 4,
        idle: 1,
        others: 1,
      },
    ]);
  });

  it("of the watcher of the backups is its status, its writes and the verifications", () => {
    const seen = backupsIn(
      [
        '{"kind":"refused","target":"far","why":"no"}',
        "---",
        '{"kind":"writes","system":"1","unarchivedSeconds":7,"rpoSeconds":300}',
        "---",
        'pgplatform_backup_verification_timestamp_seconds{target="far",archive_id="a"} 1700000000',
        'pgplatform_backup_verification_passed{target="far",archive_id="a"} 0',
        "",
      ].join("\n"),
    );
    assert.deepEqual(seen.targets, [{ kind: "refused", target: "far", why: "no" }]);
    assert.equal(seen.writes?.unarchivedSeconds, 7);
    assert.deepEqual(seen.verified.get("far"), { at: 1_700_000_000, passed: false });
    assert.deepEqual(backupsIn("---\n---\n").targets, []);
  });

  it("of what was logged is who was refused, once for each connection, by PgBouncer and by PostgreSQL", () => {
    const { pgbouncer } = poolerLogs;
    const pooler = (user: string, port: number, rest: string) =>
      `2026-11-29 17:15:18.745 UTC [8] ${rest.replace(" ", ` C-0x55ce28918120: app/${user}@198.18.1.7:${port} `)}`;
    const byPooler = refusedIn(
      "pooler-1",
      [
        pooler("app", 1, "ERROR password authentication failed"),
        pooler("app", 1, "WARNING pooler error: SASL authentication failed"),
        pooler("app", 2, "ERROR password authentication failed"),
        pooler("nobody", 3, "WARNING pooler error: no such user"),
        pooler("app", 4, "LOG login attempt: db=app user=app tls=TLSv1.3"),
        pooler("app", 5, "WARNING pooler error: server conn crashed?"),
        "2026-11-29 17:16:19.810 UTC [8] WARNING S-0x55ce2893d900: app/app@198.19.103.248:5432 password authentication failed",
        "not of PgBouncer",
      ],
      pgbouncer!,
    );
    assert.deepEqual(byPooler, [
      { pod: "pooler-1", role: "app", why: "password authentication failed", count: 2, from: ["198.18.1.7"] },
      { pod: "pooler-1", role: "nobody", why: "no such user", count: 1, from: ["198.18.1.7"] },
    ]);
    const jsonlog = (fields: object) =>
      JSON.stringify({
        timestamp: "2026-11-29 17:15:18.745 UTC",
        error_severity: "FATAL",
        pid: 5,
        ...fields,
      });
    const said = {
      user: "app",
      remote_host: "198.18.3.4",
      remote_port: 4711,
      state_code: "28P01",
      message: 'password authentication failed for user "app"',
    };
    const byServer = refusedIn(
      "main-0",
      [
        jsonlog(said),
        jsonlog({ ...said, pid: 6, remote_host: "198.18.2.4" }),
        jsonlog({ ...said, pid: 7, state_code: "57P03", message: "the database system is starting up" }),
      ],
      foundOf("standalone").platform.live.logs.postgres!,
    );
    assert.deepEqual(byServer, [
      { pod: "main-0", role: "app", why: said.message, count: 2, from: ["198.18.2.4", "198.18.3.4"] },
    ]);
    const [second] = byPooler;
    assert.deepEqual(
      acrossPods([...byServer, second!, { ...second!, pod: "pooler-2", count: 5, from: ["198.18.1.9"] }]),
      [
        {
          role: "app",
          why: "password authentication failed",
          count: 7,
          from: ["198.18.1.7", "198.18.1.9"],
          at: ["pooler-1", "pooler-2"],
        },
        { role: "app", why: said.message, count: 2, from: ["198.18.2.4", "198.18.3.4"], at: ["main-0"] },
      ],
    );
    const few = look("cnpg", (scene) => (scene.refusedLogins = [{ ...second!, count: 2 }]));
    assert.deepEqual(few.problems, [], "one who mistypes is no problem");
  });

  it("knows what is missing without each Deployment of the platform's own pods", () => {
    const folder = join(projectDir, "tests/golden");
    const roles = new Set<string | undefined>();
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".yaml")) continue;
      const { resources = {} } = parse(readFileSync(join(folder, file), "utf8")) as {
        resources?: Record<string, { inputs?: KubeObject }>;
      };
      for (const { inputs } of Object.values(resources))
        if (inputs?.kind === "Deployment" && inputs.metadata.labels?.[clusterLabel] !== undefined)
          roles.add(helperRole(inputs));
    }
    // Poolers have no role, and the watcher of the backups is missed by the rules of backups.
    assert.ok(roles.delete(undefined) && roles.delete(backupRoles.watch));
    assert.ok(roles.size >= 3);
    for (const role of roles) assert.ok(missed[role ?? ""], `${role} is missed by nobody`);
  });

  it("names who renews a certificate, by who issues it", () => {
    const next = (issuer: "cert-manager" | "provided") => {
      const found = foundOf("cnpg");
      const subject = {
        ...found.subject!,
        settings: { ...found.subject!.settings, tls: { issuer } as never },
      };
      const scene = sceneOf(found);
      const ends = new Date((NOW + 86_400) * 1000).toISOString();
      scene.certificates = [{ what: "server", secret: "of-mine", ends }];
      return assess({ ...found, subject }, scene, NOW * 1000).problems[0]?.next;
    };
    assert.equal(next("cert-manager"), "kubectl --context test -n postgres describe certificate main-tls");
    assert.equal(next("provided"), "kubectl --context test -n postgres describe secret of-mine");
  });

  it("of a pod says why it isn't ready", () => {
    assert.equal(unreadiness(pod("a", {})), undefined);
    assert.equal(
      unreadiness(unreadyPod("a", {}, "ImagePullBackOff")),
      "container postgres: ImagePullBackOff",
    );
    const gone = pod("a", {});
    Object.assign(gone.metadata, { deletionTimestamp: "2026-11-29T20:00:00Z" });
    assert.equal(unreadiness(gone), "it is being deleted");
    const waiting = pod(
      "a",
      {},
      {
        status: {
          phase: "Pending",
          conditions: [{ type: "PodScheduled", status: "False", message: "no room" }],
        },
      },
    );
    assert.equal(unreadiness(waiting), "no node takes it: no room");
    assert.equal(lastEnd(pod("a", {})), undefined);
  });

  for (const { changes } of [foundOf("cnpg").platform.live.onCall])
    it("of CloudNativePG's events is what is about who leads", () => {
      const read = (items: object[]) => changes!.read(items as KubeObject[]);
      assert.deepEqual(
        read([
          { lastTimestamp: "2026-11-29T19:00:00Z", message: "Failing over from main-1 to main-2" },
          {
            lastTimestamp: null,
            eventTime: "2026-11-29T19:01:00.123456Z",
            message: "Switchover from main-2 to main-1",
          },
          { lastTimestamp: "2026-11-29T19:02:00Z", message: "Backup completed" },
        ]),
        [
          { at: "2026-11-29T19:00:00.000Z", why: "Failing over from main-1 to main-2", primary: "main-2" },
          { at: "2026-11-29T19:01:00.123Z", why: "Switchover from main-2 to main-1", primary: "main-1" },
        ],
      );
      assert.deepEqual(changes!.read([]), []);
    });

  it("of Patroni's history is when, why and who", () => {
    const { changes } = foundOf("zalando").platform.live.onCall;
    const endpoints = (history: string | undefined) => ({
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name: "main-config", ...(history !== undefined && { annotations: { history } }) },
    });
    assert.deepEqual(
      changes!.read([
        endpoints(
          '[[1,100,"no recovery target specified","2026-11-29T19:00:00.5+00:00","main-1"],[2,200,"old"]]',
        ),
      ]),
      [
        {
          at: "2026-11-29T19:00:00.500Z",
          why: "Patroni: no recovery target specified",
          timeline: 2,
          primary: "main-1",
        },
      ],
    );
    assert.deepEqual(changes!.read([endpoints(undefined)]), []);
  });

  it("is what each pod of a pooler logged of refused logins, whatever another one's node answers; with a stand-in for kubectl", async () => {
    const found = foundOf("cnpg");
    const begun = (name: string) =>
      pod(name, {}, { status: { containerStatuses: [{ name: "pgbouncer", containerID: `of ${name}` }] } });
    const lines = [1, 2, 3].map(
      (port) =>
        `2026-11-29 17:15:18.745 UTC [8] ERROR C-0x55: app/app@198.18.1.7:${port} password authentication failed`,
    );
    class StandIn extends Kubectl {
      override run(): ReturnType<Kubectl["run"]> {
        return Promise.resolve({ stdout: "", stderr: "", exitCode: 1 });
      }
      override get(): Promise<undefined> {
        return Promise.resolve(undefined);
      }
      override list(_kind: string, _namespace: string, selector: string): Promise<KubeObject[]> {
        return Promise.resolve(selector.includes("pooler") ? ["p-1", "p-2"].map(begun) : []);
      }
      override logsOf(_namespace: string, name: string): Promise<string> {
        return name === "p-2"
          ? Promise.resolve(lines.join("\n"))
          : Promise.reject(new Error("no route to host"));
      }
    }
    const subject = { ...found.subject!, kubectl: new StandIn({ kubeconfig: undefined, context: "none" }) };
    const seen = await gather({ ...found, subject, platform: subject }, 2000);
    const [one, ...more] = seen.refusedLogins;
    assert.deepEqual([one?.pod, one?.count, more], ["p-2", 3, []]);
    assert.ok(seen.unread.includes("refused logins at p-1 (no route to host)"), seen.unread.join());
  });

  it("is left out where it is late, and named; with a stand-in for kubectl that never answers some questions", async () => {
    const found = foundOf("cnpg");
    const scene = sceneOf(found);
    const never = new Promise<never>(() => undefined);
    class StandIn extends Kubectl {
      override run(args: readonly string[]): ReturnType<Kubectl["run"]> {
        return args.includes("exec") ? never : Promise.resolve({ stdout: "", stderr: "", exitCode: 1 });
      }
      override get(kind: string): Promise<KubeObject | undefined> {
        return Promise.resolve(kind.startsWith("Cluster") ? scene.cluster : undefined);
      }
      override list(kind: string, _namespace: string, selector: string): Promise<KubeObject[]> {
        return Promise.resolve(kind === "pods" && selector.includes("instance") ? scene.pods : []);
      }
    }
    const kubectl = new StandIn({ kubeconfig: undefined, context: "none" });
    const subject = { ...found.subject!, kubectl };
    const seen = await gather({ ...found, subject, platform: subject }, 300);
    assert.deepEqual(
      seen.unread.filter((one) => /PostgreSQL|row/.test(one)),
      ["PostgreSQL in main-1", "PostgreSQL in main-2", "PostgreSQL in main-3", "the row at main-1"],
    );
    const all = assess({ ...found, subject, platform: subject }, seen, NOW * 1000);
    assert.deepEqual(all.writes, {
      work: null,
      why: "main-1, the primary, and no other instance could be asked in time",
    });
    assert.match(lines(all).join("\n"), /^WHETHER WRITES WORK IS NOT KNOWN: main-1/);
    const forbidden = "the operator (Error from server (Forbidden): deployments.apps is forbidden)";
    const unread = { ...scene, unread: ["poolers", "backups", "nodes", "alerts", forbidden] };
    const { problems } = assess({ ...found, subject, platform: subject }, unread, NOW * 1000);
    assert.deepEqual(
      problems.map(({ what }) => what).filter((one) => /not known, since/.test(one)),
      ["not known, since it could not be read: poolers"],
    );
    assert.match(
      lines(all).join("\n").replace(/\s+/g, " "),
      /not known, since it could not be read in time: PostgreSQL in/,
    );
  });
});
