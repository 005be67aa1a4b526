import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { recipes } from "../../local/images/recipes";
import { planPlatform } from "../../plan/platform";
import { planners } from "../../plan/engines/select";
import { factsOf, type ImageFacts, operators, servers, shared } from "../../releases/imageFacts";
import { pins, type ImageName } from "../../releases/pins";
import { imagesOf } from "../../checks/images";
import type { Images, Settings } from "../../settings/schema";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { builtImage } from "../support/builtImages";
import { releasedObjects } from "../support/manifest";
import { type Run, runsOf } from "../support/podPrograms";
import { programs, read } from "../support/shellCommands";
import { bucket, checked, smallest } from "../support/settings";

type Engine = Settings["cluster"]["engine"];
const engines = Object.keys(planners) as Engine[];

/** A stack of that engine in which as much as possible runs. */
function inputOf(engine: Engine): object {
  const { cluster, ...rest } = smallest();
  const alone = engine === "standalone";
  return {
    ...rest,
    platform: "k3d",
    cluster: {
      ...cluster,
      engine,
      ...(alone ? { instances: 1, durability: "async" } : { instances: 3 }),
      ...(engine === "cnpg" && { watchdogSeconds: 8 }),
      storage: { ...cluster.storage, ...(alone && { archiveSize: "5Gi" }) },
    },
    poolers: [{ name: "app", database: "app" }],
    rotation: { credentialVersion: 2, stage: "handed-out" },
    backup: {
      targets: alone ? [bucket()] : [{ name: "near", kind: "local" }, bucket()],
      ...(alone ? { volume: { baseBackupDays: 30, walRetentionDays: 7 } } : { verify: { dump: true } }),
    },
  };
}

/** Options of programs that BusyBox has in a smaller version. */
const notInBusyBox: Readonly<Record<string, RegExp>> = {
  cp: /^--/,
  date: /ago$|^next |^yesterday/,
  df: /^--/,
  du: /^--/,
  find: /^-(printf|regextype|newermt|fprintf)/,
  grep: /^(--|-P|-\w*P)/,
  sed: /^(--|-z)/,
  sort: /^--|^-\w*V/,
  stat: /^--/,
  tail: /^--/,
  tar: /^--/,
};

const standard = new Set(
  (
    "__future__ base64 collections dataclasses datetime email fcntl hashlib http json os pathlib re select shutil signal socket socketserver " +
    "ssl subprocess sys tempfile threading time typing urllib"
  ).split(" "),
);

/** What a container does that its image can't, a sentence each. */
function faults(run: Run, facts: ImageFacts): string[] {
  const has = (name: string) =>
    facts.tools.includes(name) ||
    (name.endsWith("*") && facts.tools.some((tool) => tool.startsWith(name.slice(0, -1)))) ||
    facts.entrypoint?.some((entry) => entry.endsWith(`/${name}`)) === true;
  const missing = run.programs
    .filter(({ name }) => !has(name.split("/").at(-1) ?? ""))
    .map(({ name }) => name);
  const options =
    facts.flavour !== "BusyBox"
      ? []
      : run.programs.flatMap(({ name, args }) => {
          const bad = args.find((arg) => notInBusyBox[name]?.test(arg) === true);
          return bad === undefined ? [] : [`${name} ${bad}`];
        });
  const modules = run.imports.filter(
    (name) => !standard.has(name) && facts.python?.modules.includes(name) !== true,
  );
  return [
    ...new Set([
      ...missing.map((name) => `${facts.image} has no ${name}`),
      ...options.map((one) => `${facts.image} has BusyBox, which doesn't know ${one}`),
      ...modules.map((name) => `${facts.image} has no Python module ${name}`),
      ...(run.imports.length > 0 && facts.python === undefined ? [`${facts.image} has no Python`] : []),
    ]),
  ];
}

describe("what runs in the upstream images", () => {
  for (const engine of engines)
    it(`is in them: ${engine}`, async () => {
      const settings = checked(inputOf(engine));
      const released = await releasedObjects(engine);
      const runs = runsOf(planPlatform(settings, () => released));
      const keys = Object.keys(settings.images) as (keyof Images)[];
      const seen = new Set<string>();
      for (const one of runs) {
        const key = keys.find((candidate) => settings.images[candidate] === one.image);
        assert.ok(key, `${one.where} runs ${one.image}, which no setting names`);
        const facts = factsOf(engine, key);
        assert.ok(facts, `${key} has no facts`);
        assert.deepEqual(faults(one, facts), [], one.where);
        one.scripts.forEach((script) => seen.add(script.split("/").at(-1) ?? ""));
      }
      // The test would pass if it found no script.
      const expected = {
        cnpg: ["watch.sh", "places.sh", "barman.sh", "check.sh", "storeDump.sh", "run.sh"],
        zalando: ["walg.sh", "apply.sh", "patroni.py", "restoreCommand.sh", "dump.sh"],
        standalone: ["run.sh", "keep.sh", "expire.sh", "archive.sh", "store.py", "base.sh", "recover.sh"],
      }[engine];
      assert.deepEqual(
        expected.filter((name) => !seen.has(name)),
        [],
      );
    });

  it("is in them where an operation starts a script in the pod that watches the stores", () => {
    const folder = join(projectDir, "plan/backup/scripts");
    const script = (name: string) => read(readFileSync(join(folder, name), "utf8"), name);
    for (const name of ["list.sh", "forget.sh"]) {
      const found = programs([name, "places.sh", "json.sh", "timelines.sh"].map(script));
      assert.ok(found.some((one) => one.name === "rclone"));
      const one = { where: name, image: "", programs: found, imports: [], scripts: [] };
      assert.deepEqual(faults(one, shared.backupTools), []);
    }
  });

  it("finds user xattrs where it wants them: the store's folders lie on disks, since tmpfs has none before Linux 6.6", () => {
    const settings = checked(inputOf("cnpg"));
    const plan = planPlatform(settings, () => []);
    const sets = (plan.localStores?.stores ?? []).flatMap(({ objects }) =>
      objects.map(({ object }) => object),
    );
    const text = JSON.stringify(sets);
    assert.ok(text.includes(`"${settings.images.objectStore}"`) && text.includes('"emptyDir"'));
    assert.doesNotMatch(text, /"medium"/);
  });

  it("would be missed where it isn't", () => {
    const of = (text: string, imports: string[] = []): Run => ({
      where: "a test",
      image: "",
      programs: programs([read(text, "a test")]),
      imports,
      scripts: [],
    });
    const cases: [Run, ImageFacts, string[]][] = [
      [of("x=$(jq .a <y) && echo $x"), shared.backupTools, ["rclone/rclone has no jq"]],
      [
        of("find . -printf '%f'"),
        shared.backupTools,
        ["rclone/rclone has BusyBox, which doesn't know find -printf"],
      ],
      [
        of('timeout 5 date -d "2 days ago"'),
        shared.backupTools,
        ["rclone/rclone has BusyBox, which doesn't know date 2 days ago"],
      ],
      [of("while :; do sleep 1; jq . x; done"), servers.cnpg, ["cloudnative-pg/postgresql has no jq"]],
      [of("f() { psql; }; f | xargs -n 1 curl"), servers.standalone, ["library/postgres has no curl"]],
      [
        of("python3 x.py", ["boto3"]),
        servers.standalone,
        [
          "library/postgres has no python3",
          "library/postgres has no Python module boto3",
          "library/postgres has no Python",
        ],
      ],
      [of("sh -c true"), shared.backupSidecar, ["cloudnative-pg/plugin-barman-cloud-sidecar has no sh"]],
      [of('"barman-cloud-$1" x'), shared.backupTools, ["rclone/rclone has no barman-cloud-*"]],
    ];
    for (const [run, facts, sentences] of cases) assert.deepEqual(faults(run, facts), sentences);
  });
});

/** The upstream images in whose place an image that is built here stands. */
const placeOf: Readonly<Partial<Record<ImageName, readonly ImageFacts[]>>> = {
  cnpgOperator: [operators.cnpg!],
  zalandoOperator: [operators.zalando!],
  postgresql: [servers.cnpg],
  patroniForZalando: [servers.zalando],
  postgresqlStandalone: [servers.standalone],
  pgbouncer: [shared.pgbouncer],
  pgbouncerExporter: [shared.pgbouncerExporter],
  postgresExporter: [shared.postgresExporter],
  versitygw: [shared.objectStore],
  barmanPlugin: [shared.backupPlugin],
  barmanSidecar: [shared.backupSidecar, shared.backupRestore],
  backupTools: [shared.backupTools],
  prometheusOperator: [shared.prometheusOperator],
  prometheusConfigReloader: [shared.prometheusConfigReloader],
  prometheus: [shared.prometheus],
  alertmanager: [shared.alertmanager],
  kubeStateMetrics: [shared.kubeStateMetrics],
};

const usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

describe("the images that are built here, beside the upstream ones", () => {
  it("stand each in the place of those that a stack of the platform k3d or cloud runs", () => {
    for (const engine of engines) {
      const upstream = imagesOf("cloud", planners[engine], "17");
      const built = imagesOf("local", planners[engine], "17");
      for (const key of Object.keys(upstream) as (keyof Images)[]) {
        const facts = factsOf(engine, key);
        if (upstream[key] === "") assert.equal(facts, undefined);
        else {
          assert.match(upstream[key], new RegExp(`/${facts!.image}:`));
          const name = (Object.keys(pins.images) as ImageName[]).find(
            (one) => pins.images[one] === built[key],
          )!;
          assert.ok(placeOf[name]?.includes(facts!), `${engine}: ${key} is ${name} here`);
        }
      }
    }
  });

  for (const [name, [facts]] of Object.entries(placeOf) as [ImageName, [ImageFacts]][])
    it(`have the user, PATH and entry point of the upstream one: ${name}`, () => {
      const { User = "", Env = [], Entrypoint } = recipes[name].config;
      const [user, group] = User.split(":");
      if (facts.user !== undefined) assert.equal(user, String(facts.user));
      if (facts.user !== undefined && facts.group !== undefined && group !== undefined)
        assert.equal(group, String(facts.group));
      const path = Env.find((one) => one.startsWith("PATH="))?.slice("PATH=".length) ?? usual;
      for (const folder of facts.path ?? [])
        // Barman's programs lie where Debian's Python puts them.
        if (folder !== "/venv/bin")
          assert.ok(path.split(":").includes(folder.replace("<major>", pins.postgresMajor)), folder);
      // What no pod gives a command must be the same program.
      if (facts.flavour === "none" || name === "backupTools")
        assert.deepEqual(
          Entrypoint?.map((one) => one.split("/").at(-1)),
          facts.entrypoint?.map((one) => one.split("/").at(-1)),
        );
    });

  it("hold rclone with every command that a script gives it", () => {
    const folder = join(projectDir, "plan/backup/scripts");
    const own = readFileSync(join(projectDir, "local/images/rclone/main.go"), "utf8");
    const commands = new Set<string>();
    for (const name of readdirSync(folder).filter((file) => file.endsWith(".sh")))
      for (const [, command] of readFileSync(join(folder, name), "utf8").matchAll(
        /\b(?:rclone|ask|copy|delete)(?: --[a-z-]+(?:[= ][0-9]+s?)?)* (cat|copy|copyto|delete|deletefile|lsf|lsjson|moveto|purge|rcat|size|sync)\b/g,
      ))
        commands.add(command!);
    assert.ok(commands.size >= 7, [...commands].join());
    for (const command of commands) assert.match(own, new RegExp(`rclone/cmd/${command}"`));
  });
});

/** Programs that a script is easily tempted to use, and that few images have. */
const tempting =
  "bc curl gcc git jq less lz4 nano nc openssl pgrep pkill ps python3 rsync tmux top tree unzip vim wget xxd xz zstd".split(
    " ",
  );

/** What an image that scripts run in has more than the upstream one, and why that deceives no test. */
const beyond: Readonly<Record<string, string>> = { openssl: "Debian's ca-certificates brings it" };

describe("the images in the cache", () => {
  for (const [name, places] of Object.entries(placeOf) as [ImageName, readonly ImageFacts[]][])
    it(`have what scripts use, and nothing tempting that the upstream one lacks: ${name}`, async function () {
      const image = await builtImage(name);
      if (image === undefined) return this.skip();
      const found = await programsIn(image);
      const known = new Set(places.flatMap(({ tools }) => tools));
      const used = (await Promise.all(engines.map((engine) => usedIn(engine, name)))).flat();
      const entry = recipes[name].config.Entrypoint?.[0]?.split("/").at(-1);
      assert.deepEqual(
        [...new Set(used)].filter((tool) => !found.has(tool) && tool !== entry),
        [],
      );
      // Where no script runs, nothing can be used by mistake.
      const more = tempting.filter(
        (tool) => found.has(tool) && !known.has(tool) && beyond[tool] === undefined,
      );
      assert.deepEqual(used.length === 0 ? [] : more, []);
      if (name === "backupTools")
        assert.deepEqual(
          [...found].filter((tool) => tool !== "busybox" && !known.has(tool)),
          [],
        );
    }).timeout(60_000);

  /** Programs that a stack on the built-in cluster runs in that image. */
  async function usedIn(engine: Engine, name: ImageName): Promise<string[]> {
    const settings = checked({ ...inputOf(engine), platform: "local" });
    const released = await releasedObjects(engine);
    return runsOf(planPlatform(settings, () => released))
      .filter(({ image }) => image === pins.images[name])
      .flatMap((one) => one.programs.map((program) => program.name.split("/").at(-1) ?? ""))
      .filter((program) => !program.endsWith("*"));
  }

  /** Names below the folders of PATH. */
  async function programsIn({ tar, layer }: { tar: string; layer: string }): Promise<Set<string>> {
    const { stdout } = await run("sh", ["-c", 'tar -xOf "$1" "$2" | tar -t', "list", tar, layer]);
    const folders =
      /^\.\/(?:usr\/local\/|usr\/)?s?bin\/([^/]+)$|^\.\/usr\/lib\/postgresql\/\d+\/bin\/([^/]+)$/;
    return new Set(
      stdout.split("\n").flatMap((path) => {
        const match = folders.exec(path);
        return match === null ? [] : [match[1] ?? match[2] ?? ""];
      }),
    );
  }
});
