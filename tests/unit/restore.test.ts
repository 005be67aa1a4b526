import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { announcements } from "../../operations/announce";
import { goneSentence } from "../../operations/gone";
import { type LiveFacts } from "../../operations/liveFacts";
import { preflight } from "../../operations/preflight";
import { endedEarly, lastError, remembered, type Restored } from "../../operations/restored";
import { restoreOverlay } from "../../operations/restorePlan";
import { expectation, judgeSource, UNNAMED } from "../../operations/source";
import { type Verdict } from "../../operations/verdict";
import { sentence } from "../../checks/index";
import { restoredAnnotation, restoreText } from "../../plan/backup/restore";
import { parseResults } from "../../plan/backup/results";
import { planPlatform } from "../../plan/platform";
import { liveReaders, planners } from "../../plan/engines/select";
import { millisecondsAt, normalizeMoment, utcOf } from "../../settings/moment";
import { type Settings, type SettingsInput } from "../../settings/schema";
import { projectDir } from "../../shell/paths";
import { changed, checked, smallest } from "../support/settings";

const near = { name: "near", kind: "local" };
const far = { name: "far", kind: "local" };
const engines = ["cnpg", "zalando", "standalone"] as const;

/** Settings with two targets, for an engine. */
function settingsOf(restore: object | undefined, engine: (typeof engines)[number] = "cnpg"): Settings {
  const input = {
    ...smallest(),
    backup: { targets: [near, far] },
    operator: { install: false },
    ...(restore && { restore }),
  } as SettingsInput;
  const named = changed(input, "cluster.engine", engine);
  return checked(
    engine === "standalone"
      ? changed(changed(named, "cluster.instances", 1), "cluster.durability", "async")
      : named,
  );
}
const source = { target: "near", archiveId: "3f2a90b1c4" };

describe("a moment", () => {
  const good: [written: string, read: string][] = [
    ["2026-10-29T02:55:37Z", "2026-10-29T02:55:37Z"],
    ["2026-10-29 02:55:37+00", "2026-10-29T02:55:37Z"],
    ["2026-10-29 02:55:37 UTC", "2026-10-29T02:55:37Z"],
    ["2026-10-29t02:55:37z", "2026-10-29T02:55:37Z"],
    ["2026-10-29 14:32Z", "2026-10-29T14:32:00Z"],
    ["2026-10-29 02:55:37.120+0100", "2026-10-29T02:55:37.12+01:00"],
    ["2026-10-29T02:55:37.678946-05:30", "2026-10-29T02:55:37.678946-05:30"],
    ["2026-10-29T02:55:37+00:00", "2026-10-29T02:55:37Z"],
  ];
  for (const [written, read] of good)
    it(`may be written as ${written}`, () => assert.equal(normalizeMoment(written), read));

  for (const written of [
    "2026-10-29 02:55:37",
    "2026-10-29T02:55",
    "2026-10-29",
    "2026-02-30T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-10-29T25:00:00Z",
    "2026-10-29T02:55:37 CET",
    "2026-10-29T02:55:37+16",
    "yesterday",
    "",
  ])
    it(`isn't ${JSON.stringify(written)}`, () => assert.equal(normalizeMoment(written), undefined));

  it("is the same in another zone", () => {
    assert.equal(utcOf("2026-10-29 02:55:37.5+02"), "2026-10-29T00:55:37.5Z");
    assert.equal(millisecondsAt("2026-10-29 02:55+02"), Date.parse("2026-10-29T00:55:00Z"));
    const text = (time: string) => restoreText(settingsOf({ ...source, to: { time } }));
    assert.equal(text("2026-10-29 02:55:00+02"), text("2026-10-29T00:55Z"));
    assert.notEqual(text("2026-10-29 02:55:00+02"), text("2026-10-29 02:55:00Z"));
  });
});

describe("the Makefile", () => {
  /** The command that a target would run. */
  const command = (...args: string[]) =>
    execFileSync("make", ["--no-print-directory", "-n", ...args], {
      cwd: projectDir,
      encoding: "utf8",
      env: { PATH: process.env.PATH },
    });
  /** The words that a shell makes of it, from the program's name on. */
  const words = (...args: string[]) => {
    const [, line = ""] = /\.\/pgp (.*)/.exec(command(...args)) ?? [];
    return execFileSync("sh", ["-c", `printf '%s\\n' ${line}`], { encoding: "utf8" })
      .trimEnd()
      .split("\n");
  };

  it("gives a moment with a blank as one word", () =>
    assert.deepEqual(
      words("restore", "TARGET=near", "ARCHIVE_ID=3f2a90b1c4", "TIME=2026-10-29 02:55:37+00"),
      [
        ...["restore", "--stack", "local", "--target", "near", "--archive-id", "3f2a90b1c4"],
        ...["--time", "2026-10-29 02:55:37+00"],
      ],
    ));

  it("gives every variable as it is, whatever is in it", () => {
    assert.deepEqual(words("verify", "TARGET=a b; echo 'x'", "TIME=; touch /tmp/no"), [
      ...["verify", "--stack", "local", "--target", "a b; echo 'x'", "--time", "; touch /tmp/no"],
    ]);
    assert.deepEqual(words("forget", "TARGET=a,b", 'ARCHIVE_ID="q"', "STACK=it's"), [
      ...["forget", "--stack", "it's", "--target", "a,b", "--archive-id", '"q"'],
    ]);
  });

  for (const [target, name] of [
    ["restore", "TIME"],
    ["restore", "ARCHIVE_ID"],
    ["verify", "TARGET"],
    ["forget", "ARCHIVE_ID"],
  ] as const) {
    it(`refuses a ${name} that the shell still has, before ${target} is run`, () => {
      const { status, stdout, stderr } = spawnSync("make", ["--no-print-directory", "-n", target], {
        cwd: projectDir,
        encoding: "utf8",
        env: { PATH: process.env.PATH, [name]: "of before" },
      });
      assert.notEqual(status, 0);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        new RegExp(
          `${name}: the shell has it \\(of before\\)\\. Allowed: behind \`make\` alone\\. Fix: \`make ${target} ${name}=…\`, or \`unset ${name}\``,
        ),
      );
    });
  }

  it("takes one that is given, and asks nothing of the shell for a command that has no such option", () => {
    const inShell = (...args: string[]) =>
      execFileSync("make", ["--no-print-directory", "-n", ...args], {
        cwd: projectDir,
        encoding: "utf8",
        env: { PATH: process.env.PATH, TARGET: "of before", TIME: "of before" },
      });
    assert.match(
      inShell("restore", "TARGET=near", "TIME=2026-10-29"),
      /--target 'near' +--time '2026-10-29'/,
    );
    assert.match(inShell("status"), /\.\/pgp status/);
  });

  it("gives no option for a variable that isn't set", () =>
    assert.deepEqual(words("restore"), ["restore", "--stack", "local"]));
});

describe("a restored cluster", () => {
  for (const engine of engines) {
    it(`of ${engine} says what it was made out of, and one that began empty doesn't`, () => {
      const annotation = (restore: object | undefined) => {
        const settings = settingsOf(restore, engine);
        const { cluster } = planPlatform(settings, () => [], planners[engine]);
        const object = cluster.objects.find((one) => liveReaders[engine].shape(one.object))?.object;
        return object?.metadata.annotations?.[restoredAnnotation];
      };
      assert.equal(
        annotation({ ...source, to: { time: "2026-10-29 02:55Z" } }),
        '{"target":"near","archiveId":"3f2a90b1c4","from":"postgres/main","to":{"time":"2026-10-29T02:55:00Z"}}',
      );
      assert.equal(annotation(undefined), undefined);
    });

    it(`of ${engine} is planned the same from what it says as from the stack file`, () => {
      const text = restoreText(settingsOf({ ...source, to: { time: "2026-10-29 02:55+02" } }, engine)) ?? "";
      const kept = remembered(settingsOf(undefined, engine), { text, begun: true });
      const again = settingsOf(kept["pgplatform:restore"] as object, engine);
      assert.equal(restoreText(again), text);
      const clusterOf = (settings: Settings) =>
        planPlatform(settings, () => [], planners[engine]).cluster.objects;
      // The same moment in UTC is all that differs from what was written.
      const inUtc = { ...source, to: { time: "2026-10-29T00:55:00Z" } };
      // WAL-G's limit for a file of WAL is long only while a restore is asked for.
      const comparable = (objects: unknown) =>
        JSON.stringify(objects).replace(/("WAL_RESTORE_TIMEOUT","value":)"\d+"/g, "$1");
      assert.equal(comparable(clusterOf(again)), comparable(clusterOf(settingsOf(inUtc, engine))));
    });

    it(`of ${engine} doesn't look at its source any more, once the stack file lacks the restore`, () => {
      const planned = (restore: object | undefined) =>
        planPlatform(settingsOf(restore, engine), () => [], planners[engine]);
      const jobs = (restore: object) =>
        planned(restore)
          .backups.filter(({ object }) => object.kind === "Job")
          .map(({ id }) => id);
      assert.deepEqual(jobs(source), ["restore-source"]);
      assert.deepEqual(jobs({ ...source, stage: "ended" }), []);
      const limit = (restore: object | undefined) =>
        /"WAL_RESTORE_TIMEOUT","value":"(\d+)"/.exec(JSON.stringify(planned(restore).cluster.objects))?.[1];
      assert.equal(limit(source), engine === "zalando" ? "600" : undefined);
      assert.equal(limit({ ...source, stage: "ended" }), limit(undefined));
    });

    it(`of ${engine} is looked into before anything but namespace, network and keys is made`, () => {
      const settings = settingsOf({ ...source, stage: "source" }, engine);
      const platform = planPlatform(settings, () => [], planners[engine]);
      assert.deepEqual(platform.cluster.objects, []);
      assert.deepEqual([platform.poolers, platform.logins, platform.bindings], [[], [], []]);
      assert.ok(platform.backups.some(({ id }) => id === "scripts"));
      assert.ok(
        platform.backups.every(({ object }) => !["Job", "CronJob", "Deployment"].includes(object.kind)),
      );
      const whole = planPlatform(settingsOf(source, engine), () => [], planners[engine]);
      // What comes later only adds to it.
      assert.deepEqual(platform.networkPolicies, whole.networkPolicies);
      assert.deepEqual(platform.localStores, whole.localStores);
      assert.deepEqual(
        platform.backups,
        whole.backups.filter(({ id }) => platform.backups.some((one) => one.id === id)),
      );
    });
  }

  it("keeps what it was made out of where the stack file no longer says it", () => {
    const text = restoreText(settingsOf(source)) ?? "";
    const without = settingsOf(undefined);
    assert.ok("pgplatform:restore" in remembered(without, { text, begun: true }));
    assert.ok("pgplatform:restore" in remembered(without, { text }), "whose pod is away just now, too");
    assert.deepEqual(remembered(without, { text, begun: false }), {});
    assert.deepEqual(remembered(without, undefined), {});
    assert.deepEqual(remembered(settingsOf(source), { text, begun: true }), {});
    const gone = restoreText(settingsOf({ ...source, target: "far" })) ?? "";
    const one = checked({ ...smallest(), backup: { targets: [near] } });
    assert.deepEqual(remembered(one, { text: gone, begun: true }), {}, "its target is gone");
  });
});

describe("how far a restore is", () => {
  const answer = (stdout: string, exitCode = 0) => ({ stdout, exitCode });

  it("says CloudNativePG by its primary, and Patroni by the identifier", () => {
    for (const engine of ["cnpg", "zalando"] as const) {
      const [question] = liveReaders[engine].restore.questions;
      assert.equal(question?.begun(answer("main-1")), true);
      assert.equal(question?.begun(answer("")), false);
      assert.equal(question?.begun(answer("", 1)), undefined, "an API server that doesn't answer");
    }
  });

  it("say a standalone server's data, else the container that fetches them, else that there is no volume", () => {
    const [data, fetching, volume] = liveReaders.standalone.restore.questions;
    assert.equal(data?.begun(answer("begun\n")), true);
    assert.equal(data?.begun(answer("half\n")), false);
    assert.equal(data?.begun(answer("", 1)), undefined);
    assert.equal(fetching?.begun(answer("store: fetching the base backup 20261029T025500 of s3://x")), false);
    assert.equal(fetching?.begun(answer("store: there are data: nothing is restored")), undefined);
    const ended =
      "store: fetching the base backup 20261029T025500 of s3://x\nstore: the server recovers from here\n";
    assert.equal(fetching?.begun(answer(ended)), undefined, "its log stays when it has ended");
    assert.equal(fetching?.begun(answer("")), undefined);
    assert.equal(volume?.begun(answer("")), false);
    assert.equal(volume?.begun(answer("persistentvolumeclaim/main-data")), undefined);
  });

  it("is not asked of a database that has begun by what its half-made predecessor consists of", () => {
    for (const engine of engines)
      for (const what of liveReaders[engine].restore.halfMade("main"))
        assert.ok(
          what.some((word) => /\bmain\b/.test(word)),
          `${engine}: nothing but the cluster's own goes: ${what.join(" ")}`,
        );
  });
});

const healthy: LiveFacts = {
  kubernetes: "1.34.1",
  storageClasses: [{ name: "local-path", isDefault: true, expands: false }],
  namespaces: ["default"],
  madeFor: {},
  otherPods: [],
  nodes: ["n1", "n2", "n3"].map((host, index) => ({
    host,
    zone: `z${index}`,
    takesPods: true,
    memoryBytes: 8 * 2 ** 30,
    milliCores: 4000,
    taints: [],
    labels: {},
    hugePageBytes: { "2Mi": 0, "1Gi": 0 },
  })),
  apiGroups: ["apps"],
  priorityClasses: [],
  poolerPods: {},
};

describe("the preflight of a restore", () => {
  /** The verdict for settings over a live cluster that was made out of something, or isn't there. */
  function verdict(
    restore: object | undefined,
    live: { restored?: Restored } | undefined,
    lostArchive?: string,
    engine: (typeof engines)[number] = "cnpg",
  ): Verdict {
    const settings = settingsOf(restore, engine);
    const reader = liveReaders[engine];
    const plan = planners[engine].plan(settings);
    const shape = plan.objects.flatMap(({ object }) => reader.shape(object) ?? [])[0];
    assert.ok(shape);
    return preflight(
      {
        settings,
        shape,
        requiredHostSpread: false,
        engine: planners[engine],
        ownsOperator: true,
        tlsNames: [],
        ownNamespaces: [],
        ...(lostArchive !== undefined && { lostArchive }),
      },
      {
        ...healthy,
        ...(live && { cluster: shape, ...(live.restored && { restored: live.restored }) }),
        operator: { image: "operator:2" },
      },
    );
  }
  const problems = (one: Verdict) => one.problems.map(sentence).filter((text) => /:restore/.test(text));
  const text = restoreText(settingsOf(source)) ?? "";

  for (const engine of engines)
    it(`lets the setting stay, and an interrupted one continue (${engine})`, () => {
      for (const begun of [true, false, undefined]) {
        const one = verdict(
          source,
          { restored: { text, ...(begun !== undefined && { begun }) } },
          undefined,
          engine,
        );
        assert.deepEqual([problems(one), one.questions, one.remakes], [[], [], undefined]);
      }
    });

  for (const engine of engines)
    it(`refuses to make an empty database of a half-made one (${engine})`, () =>
      assert.deepEqual(
        problems(verdict(undefined, { restored: { text, begun: false } }, undefined, engine)),
        [
          "pgplatform:restore: not set. Allowed: the restore that cluster postgres/main is being made by (target near, archive 3f2a90b1c4), which has not ended: " +
            "an empty database would come in its place. Fix: run the same `make restore` again, which continues; or `make destroy`, which leaves the backups, if you want an empty one.",
        ],
      ));

  it("lets it be removed once it has ended", () =>
    assert.deepEqual(problems(verdict(undefined, { restored: { text, begun: true } })), []));

  it("makes a half-made one again from elsewhere, after asking", () => {
    const one = verdict(
      { ...source, to: { time: "2026-10-29T02:55Z" } },
      { restored: { text, begun: false } },
    );
    assert.deepEqual(problems(one), []);
    assert.equal(one.remakes, true);
    assert.deepEqual(one.questions, [
      "The restore of cluster postgres/main from target near, archive 3f2a90b1c4 has not ended: what is there of it, which acknowledged nothing, is deleted, and made again.",
    ]);
  });

  it("touches no cluster that takes writes, that began empty, or that can't be told about", () => {
    const other = { ...source, archiveId: "0123456789" };
    for (const restored of [{ text, begun: true }, undefined]) {
      const one = verdict(other, restored && { restored } ? { ...(restored && { restored }) } : {});
      assert.match(problems(one).join(), /must not be set once the cluster exists, unless it was restored/);
      assert.equal(one.remakes, undefined);
    }
    assert.match(
      problems(verdict(other, { restored: { text } })).join(),
      /since it can't be told whether that restore has ended: its pod doesn't answer\. Fix: continue that one/,
    );
  });

  it("puts no empty database where a cluster is gone and its archive isn't", () => {
    assert.deepEqual(problems(verdict(undefined, undefined, "3f2a90b1c4")), [
      "pgplatform:restore: not set. Allowed: a restore, since cluster postgres/main is gone and its archive 3f2a90b1c4 isn't: an empty database would come in its place. " +
        "Fix: `make restore TARGET=near ARCHIVE_ID=3f2a90b1c4` brings it back; or `make destroy` first, if you want an empty one.",
    ]);
    assert.deepEqual(problems(verdict(source, undefined, "3f2a90b1c4")), []);
    assert.deepEqual(problems(verdict(undefined, undefined)), [], "a first installation");
  });

  it("takes a cluster away for no look into its source", () =>
    assert.match(
      problems(verdict({ ...source, stage: "source" }, { restored: { text, begun: true } })).join(),
      /stage all while the cluster is there/,
    ));
});

/** Lines of list.sh and look.sh. */
const lines = (...objects: object[]) =>
  parseResults(
    objects.map((one) => JSON.stringify(one)).join("\n"),
    ...(["refused", "wal", "base", "dump", "replay", "last"] as const),
  );
const base = (id: string, end: string, more: object = {}) => ({
  kind: "base",
  target: "near",
  archiveId: "3f2a90b1c4",
  id,
  status: "DONE",
  begin: end,
  end,
  bytes: 36 * 2 ** 20,
  ...more,
});
const wal = {
  kind: "wal",
  target: "near",
  archiveId: "3f2a90b1c4",
  segment: "00000001000000000000002A",
  at: "2026-10-29 14:31:02",
};
const archive = [
  wal,
  base("20261029T020000", "2026-10-29 02:00:10.123456+00:00", { verdict: "passed" }),
  base("20261028T020000", "2026-10-28 02:00:09+00:00"),
  base("20261029T143000", "", { status: "STARTED", end: "" }),
  {
    kind: "replay",
    archiveId: "3f2a90b1c4",
    id: "20261029T020000",
    major: 17,
    segments: 40,
    rtoSeconds: null,
  },
  {
    kind: "replay",
    archiveId: "3f2a90b1c4",
    id: "20261028T020000",
    major: 17,
    segments: 90,
    rtoSeconds: 200,
  },
];

describe("what is found where a restore reads", () => {
  const judged = (restore: object, ...found: object[]) => judgeSource(settingsOf(restore), lines(...found));
  const refused = (restore: object, ...found: object[]) => {
    const verdict = judged(restore, ...found);
    return "refused" in verdict ? verdict.refused : "";
  };

  it("is base backup, reach, size and time, said before anything is asked", () => {
    const verdict = judged(source, ...archive);
    assert.deepEqual("lines" in verdict && verdict.lines, [
      "base backup: 20261029T020000, which ended at 2026-10-29 02:00:10 UTC, 36.0 MiB in the store, PostgreSQL 17, verification passed",
      "reachable: from 2026-10-28 02:00:09 UTC to about 2026-10-29 14:31:02 UTC, when the newest WAL segment (00000001000000000000002A) was stored",
      "how long: about 2 minutes until it takes writes, an assumption that was never measured here: 20 MiB a second for the base backup, 0.5 s for each of 40 WAL segments, 60 s to start; the standbys come after that",
    ]);
  });

  it("is the base backup from before the moment", () => {
    const verdict = judged({ ...source, to: { time: "2026-10-29 02:00:10Z" } }, ...archive);
    assert.match(
      "lines" in verdict ? (verdict.lines[0] ?? "") : "",
      /^base backup: 20261028T020000, .* never verified$/,
    );
    assert.match(
      "lines" in verdict ? (verdict.lines[2] ?? "") : "",
      /about 5 minutes .* its verification took 200 s/,
    );
  });

  for (const [title, time, expected] of [
    [
      "before the first base backup",
      "2026-10-28 02:00:00Z",
      /name a later one \(the earliest base backup ended at 2026-10-28 02:00:09 UTC\)/,
    ],
    ["behind the newest WAL", "2026-10-29 14:31:03Z", /name an earlier one, or leave it out/],
    ["weeks ahead", "2026-11-15T00:00Z", /name an earlier one, or leave it out/],
    ["in another zone's future", "2026-10-29 14:00:00-05", /name an earlier one, or leave it out/],
  ] as const)
    it(`refuses a moment ${title}, with both ends`, () => {
      const said = refused({ ...source, to: { time } }, ...archive);
      assert.match(said, expected);
      assert.ok(
        said.startsWith(
          `pgplatform:restore.to.time: "${time}" is not allowed; nothing was made. Allowed: a moment from 2026-10-28 02:00:09 UTC to about 2026-10-29 14:31:02 UTC:`,
        ),
        said,
      );
    });

  describe("with the last transaction, where it can be read", () => {
    const exact = [...archive, { kind: "last", archiveId: "3f2a90b1c4", at: "2026-10-29T14:30:58.123456Z" }];

    it("is told as the end", () => {
      const verdict = judged(source, ...exact);
      assert.equal(
        "lines" in verdict && verdict.lines[1],
        "reachable: from 2026-10-28 02:00:09 UTC to before 2026-10-29 14:30:58.123456 UTC, the archive's last transaction",
      );
    });

    it("refuses its own moment, and no microsecond earlier", () => {
      for (const time of ["2026-10-29 14:30:58.123456Z", "2026-10-29 14:30:59Z", "2026-10-29 14:31:01Z"])
        assert.match(
          refused({ ...source, to: { time } }, ...exact),
          /to before 2026-10-29 14:30:58\.123456 UTC/,
          time,
        );
      for (const time of ["2026-10-29 14:30:58.123455Z", "2026-10-29 14:30:58Z", "2026-10-29 15:30:58.1+01"])
        assert.equal(refused({ ...source, to: { time } }, ...exact), "", time);
    });

    it("is another archive's matter where it is another archive's", () =>
      assert.match(
        refused({ ...source, to: { time: "2026-11-15T00:00Z" } }, ...archive, {
          ...exact.at(-1),
          archiveId: "0123456789",
        }),
        /to about 2026-10-29 14:31:02 UTC/,
      ));
  });

  it("takes each moment between both ends", () => {
    for (const time of ["2026-10-28 02:00:10Z", "2026-10-29 14:31:02Z", "2026-10-29 15:31+01"])
      assert.equal(refused({ ...source, to: { time } }, ...archive), "", time);
  });

  it("names what is there where nobody has named an archive, or named one that isn't", () => {
    const there = "3f2a90b1c4 (2026-10-28 02:00:09 UTC to about 2026-10-29 14:31:02 UTC)";
    assert.equal(
      refused({ ...source, archiveId: UNNAMED }, ...archive),
      `pgplatform:restore.archiveId: not set; nothing was made. Allowed: an archive of postgres/main in target near with a finished base backup: ${there}. Fix: name it by ARCHIVE_ID, and run it again.`,
    );
    assert.match(
      refused({ ...source, archiveId: "0123456789" }, ...archive),
      /"0123456789" is not allowed; nothing was made\..*3f2a90b1c4/,
    );
    assert.match(refused(source), /there is none\. Fix: name another target/);
    assert.match(refused(source, wal, base("20261029T143000", "", { status: "STARTED" })), /there is none/);
  });

  it("refuses data of another major version, which no restore makes newer", () =>
    assert.match(
      refused(source, ...archive.slice(0, 2), { ...archive[4], major: 16 }),
      /^pgplatform:cluster\.postgresVersion: "17" is not allowed; nothing was made\. Allowed: "16", of which the base backup 20261029T020000 is\. Fix: set it, restore, and upgrade/,
    ));

  it("says the store's own words where it doesn't answer", () =>
    assert.match(
      refused(source, { kind: "refused", target: "near", why: "403 Forbidden" }),
      /can't be read: 403 Forbidden; nothing was made/,
    ));

  it("says that a time to restore is assumed, unless it was measured", () => {
    assert.match(expectation({ bytes: 20 * 2 ** 30 }, undefined), /about 19 minutes .*never measured/);
    assert.match(expectation({ bytes: null }, undefined), /about 1 minutes/);
  });
});

describe("the options of `make restore`", () => {
  const config = {
    "pgplatform:backup": { targets: [near, far] },
    "pgplatform:restore": { target: "far", archiveId: "aaaaaaaaaa", to: { time: "2026-01-01T00:00Z" } },
  };
  const overlay = (wanted: object, file: object = config) =>
    restoreOverlay(wanted, { config: file as never })["pgplatform:restore"];

  it("are laid over what the stack file says", () => {
    assert.equal(overlay({}), undefined);
    assert.deepEqual(overlay({ time: "2026-01-02T00:00Z" }), {
      ...{ target: "far", archiveId: "aaaaaaaaaa" },
      to: { time: "2026-01-02T00:00Z" },
    });
    assert.deepEqual(overlay({ target: "near", archiveId: "bbbbbbbbbb" }), {
      ...{ target: "near", archiveId: "bbbbbbbbbb" },
      to: {},
    });
  });

  it("need no archive, and no target, to be told what there is", () => {
    const file = { "pgplatform:backup": { targets: [near, far] } };
    assert.deepEqual(overlay({}, file), { target: "near", archiveId: UNNAMED });
    assert.deepEqual(overlay({ target: "far" }, file), { target: "far", archiveId: UNNAMED });
    assert.equal(overlay({}, {}), undefined);
  });
});

describe("a recovery that can't end where it should", () => {
  const settings = settingsOf({ ...source, to: { time: "2026-10-29T15:00:00Z" } });
  const cnpg =
    '{"level":"info","logger":"postgres","record":{"error_severity":"LOG","message":"last completed transaction was at log time 2026-10-29 14:30:58.123+00"}}\n' +
    '{"level":"info","logger":"postgres","record":{"error_severity":"FATAL","message":"recovery ended before configured recovery target was reached"}}\n';

  it("is told with the last transaction and the way on", () =>
    assert.equal(
      endedEarly(cnpg, settings),
      'pgplatform:restore.to.time: "2026-10-29T15:00:00Z" was not reached: the WAL that came from target near ends before it, with the transaction of 2026-10-29 14:30:58.123+00. ' +
        "Allowed: what the archive has without a gap. Fix: where newer WAL was archived, a segment is missing or was refused: see that the target has it and answers, and run the same command again; " +
        "else name one before 2026-10-29 14:30:58.123+00, or leave it out for all that was archived, and run the same command with that: the half-made cluster acknowledged nothing, and is deleted then.",
    ));

  it("is told without it where PostgreSQL didn't say, in its own log's form too", () =>
    assert.match(
      endedEarly(
        "2026-10-29 UTC [7] FATAL:  recovery ended before configured recovery target was reached",
        settings,
      ) ?? "",
      /ends before it\. .*; else leave it out/,
    ));

  it("is no other error, and no restore's without an end", () => {
    assert.equal(endedEarly("FATAL: the database system is starting up", settings), undefined);
    assert.equal(endedEarly(cnpg, settingsOf(undefined)), undefined);
  });

  it("says its last error in PostgreSQL's own words", () => {
    assert.equal(lastError(cnpg), "recovery ended before configured recovery target was reached");
    assert.equal(
      lastError("store: ok\nFATAL:  could not locate a valid checkpoint record\n"),
      "FATAL:  could not locate a valid checkpoint record",
    );
    assert.equal(
      lastError('{"level":"error","msg":"Error while restoring a backup","error":"x"}'),
      "Error while restoring a backup: x",
    );
    assert.equal(lastError("nothing"), "its log says no error");
  });
});

describe("a cluster that is gone", () => {
  it("is told with the command that brings it back", () => {
    assert.equal(
      goneSentence(settingsOf(undefined), "3f2a90b1c4", false),
      "Cluster postgres/main is gone with its namespace postgres, and its backups needn't be: archive 3f2a90b1c4 in target near or far. " +
        "`make restore TARGET=near ARCHIVE_ID=3f2a90b1c4` looks there, shows what would come back, and asks; `make up` would not bring the data back.",
    );
    assert.match(
      goneSentence(settingsOf(undefined), "3f2a90b1c4", true),
      /^Cluster postgres\/main is gone, /,
    );
  });
});

describe("what restarts", () => {
  const said = (engine: (typeof engines)[number], before: SettingsInput, after: SettingsInput) => {
    const shape = (input: SettingsInput) => {
      const { objects } = planners[engine].plan(checked(changed(input, "cluster.engine", engine)));
      const [one] = objects.flatMap(({ object }) => liveReaders[engine].shape(object) ?? []);
      assert.ok(one);
      return one;
    };
    return announcements({ live: liveReaders[engine] }, shape(before), shape(after), undefined).join("\n");
  };
  const three = (): SettingsInput => changed(smallest(), "cluster.instances", 3);
  const archived = (): SettingsInput => ({ ...three(), backup: { targets: [near] } }) as SettingsInput;
  const connections = (count: number) => changed(three(), "cluster.maxConnections", count);

  it("when a backup is turned on: CloudNativePG's primary in its place, without a switchover", () => {
    const text = said("cnpg", three(), archived());
    assert.match(
      text,
      /plugins: the standbys are recreated one after another, then the primary in its place, without a switchover/,
    );
    assert.doesNotMatch(text, /by a switchover/);
  });

  it("when it is turned off: by a switchover", () =>
    assert.match(said("cnpg", archived(), three()), /plugins: .* by a switchover/));

  it("when CloudNativePG's primary must go first", () => {
    assert.match(
      said("cnpg", connections(120), connections(100)),
      /the primary restarts first, in its place/,
    );
    assert.match(
      said("cnpg", connections(100), connections(120)),
      /max_connections: the instances restart .* by a switchover/,
    );
  });

  it("when Patroni restarts PostgreSQL alone, and when the operator makes pods", () => {
    assert.match(
      said("zalando", connections(100), connections(120)),
      /max_connections: PostgreSQL restarts in the standbys .* without a switchover/,
    );
    assert.match(said("zalando", three(), archived()), /env: the instances restart .* by a switchover/);
  });

  it("when a restore is removed that nobody remembers: what mounts its source", () => {
    const restored = { ...archived(), restore: source } as SettingsInput;
    assert.match(said("cnpg", restored, archived()), /^restore: the instances restart/);
    assert.match(said("zalando", restored, archived()), /env: the instances restart/);
  });
});
