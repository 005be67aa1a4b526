import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { KubeObject } from "../../operations/kubectl";
import { exists, projectDir, stateDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { byOperator, type Declared, declaredIn, mayHold } from "./kit/allowedVariables";
import { Control, controlName, plantedSpellings, removeControl } from "./kit/control";
import { environment, stackName, type Environment } from "./kit/environment";
import { type Hit, merged, Search, secretsInState, secretsOf, sentence, unpacked } from "./kit/leaks";
import { make } from "./kit/make";
import {
  allObjects,
  exported,
  filesIn,
  logsOf,
  metricsOf,
  namespacesOf,
  passphraseOf,
  placeOf,
  podsIn,
  secretsIn,
  stateFolders,
} from "./kit/places";
import { containersOf, idOf, processesByExec, ProcessWatch, type SeenProcess } from "./kit/podProcesses";
import { say } from "./kit/wait";

/**
 * Every value of every Secret of the stack, what its state keeps as secret, and its passphrase, looked for wherever else they could be read. A secret of the
 * tests' own leaks in each of these places for as long as the suite runs: it must be found there, and nothing else may be.
 *
 * Not proved: files inside of containers and on volumes, packets, dumps of memory, logs that the kubelet has rotated away, base64 that is broken into lines,
 * and what only an update that makes everything, a backup or a restore says.
 *
 * Only with LEAKS=1: it takes about five minutes.
 */
const suite = process.env.LEAKS === "1" ? describe : describe.skip;

suite("secrets stay in Secrets (three nodes of one machine, images built here)", () => {
  let env: Environment;
  let control: Control;
  let watch: ProcessWatch | undefined;
  let namespaces: string[];
  let search: Search;
  let pods: KubeObject[];
  let folder: string;
  /** Read once, for its objects and for its events. */
  let read: Awaited<ReturnType<typeof allObjects>>;

  before(async () => {
    env = await environment();
    folder = await mkdtemp(join(tmpdir(), "pgp-leaks-"));
    await env.cluster.waitHealthy();
    namespaces = await namespacesOf(env);
    control = await Control.plant(env);

    const { known, leftOut, published } = secretsOf(await secretsIn(env, namespaces));
    const inState = secretsInState(await exported(env, true));
    const passphrase = await passphraseOf(env);
    const all = merged(
      [
        ...known,
        ...inState,
        ...(passphrase === undefined
          ? []
          : [{ at: ["the stack's passphrase"], value: Buffer.from(passphrase) }]),
      ].flatMap(({ at, value }) => at.map((one) => ({ at: one, value }))),
    );
    search = new Search(all, published);
    say(`namespaces: ${namespaces.join(", ")}`);
    say(`${all.length} secret values in ${search.size} spellings:`);
    for (const { at } of all) say(`  ${at.join(" = ")}`);
    say(`${leftOut.length} values are not looked for:`);
    for (const { at, why } of leftOut) say(`  ${at}: ${why}`);
    assert.ok(known.length > 5, "Secrets were read");
    assert.ok(inState.length > 0, "the state's secrets were read");

    if (await ProcessWatch.possible()) {
      watch = new ProcessWatch();
      watch.start();
    }
    pods = await podsIn(env, namespaces);
    read = await allObjects(env);
  });

  after(async () => {
    watch?.stop();
    if (env !== undefined) await removeControl(env);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const isControl = ({ at }: Hit): boolean => at.includes(control.at);

  /** Nothing but the control; returns where that was found. */
  function onlyControl(hits: readonly Hit[]): string[] {
    const leaks = hits.filter((hit) => !isControl(hit)).map(sentence);
    assert.deepEqual([...new Set(leaks)], []);
    return [...new Set(hits.map(({ place }) => place))];
  }

  const inTexts = (texts: Iterable<readonly [place: string, text: string]>): Hit[] =>
    [...texts].flatMap(([place, text]) => search.hits(place, text));

  it("in the state: what is exported, and each file of it", async () => {
    const shown = await exported(env, true);
    assert.ok(search.hits("the export with --show-secrets", shown).length > 0, "the control: it has them");
    const text = await exported(env, false);
    assert.match(text, /"ciphertext"/);
    onlyControl(search.hits("pulumi stack export", text));

    const planted = join(stateDir, "stacks", `${controlName}.json`);
    await mkdir(join(stateDir, "stacks"), { recursive: true });
    await writeFile(planted, JSON.stringify({ password: control.value }), { mode: 0o600 });
    try {
      const files = await filesIn(await stateFolders(env));
      const hits: Hit[] = [];
      for (const file of files)
        hits.push(...search.hits(relative(stateDir, file), unpacked(await readFile(file)).toString()));
      const found = onlyControl(hits);
      assert.deepEqual(found, [relative(stateDir, planted)]);
      say(`${files.length} files`);
    } finally {
      await rm(planted, { force: true });
    }
  });

  const isEvent = ({ kind }: KubeObject): boolean => kind === "Event";

  it("in objects of every kind beside Secrets, with annotations and owners of fields", () => {
    assert.deepEqual(read.unread, []);
    const objects = read.objects.filter((object) => !isEvent(object));
    const found = onlyControl(objects.flatMap((object) => search.inObject(placeOf(object), object)));
    say(`${objects.length} objects of ${read.kinds} kinds`);
    const { namespace } = env.settings.cluster;
    const map = `ConfigMap ${namespace}/${controlName}`;
    for (const key of Object.keys(plantedSpellings("")))
      assert.ok(found.includes(`${map} .data.${key}`), `the control: ${key}`);
    const annotations = `${map} .metadata.annotations`;
    for (const key of ["pgplatform.io/leak-control", "kubectl.kubernetes.io/last-applied-configuration"])
      assert.ok(found.includes(`${annotations}.${key}`), `the control: ${key}`);
    assert.ok(
      found.every((place) => place.startsWith(map) || place.startsWith(`Pod ${namespace}/${controlName}`)),
      found.join("\n"),
    );
  });

  it("in events", () => {
    const events = read.objects.filter(isEvent);
    const found = onlyControl(events.flatMap((event) => search.inObject(placeOf(event), event)));
    say(`${events.length} events`);
    assert.ok(
      found.some((place) => place.endsWith(".message")),
      "the control",
    );
  });

  it("in logs of all containers: present, previous, and of a pod's start", async () => {
    const { logs, unread, gone } = await logsOf(env, await podsIn(env, namespaces));
    assert.deepEqual(unread, []);
    for (const one of gone) say(`NOT READ: ${one}`);
    const found = onlyControl(inTexts(logs.map(({ place, text }) => [place, text])));
    say(`${logs.length} logs, ${logs.reduce((sum, { text }) => sum + text.length, 0)} characters`);
    const pod = `${env.settings.cluster.namespace}/${controlName}`;
    for (const place of [`log of ${pod} first`, `log of ${pod} server`, `previous log of ${pod} twice`])
      assert.ok(found.includes(place), `the control: ${place}`);
    const { namespace } = env.settings.cluster;
    const servers = await env.cluster.names();
    assert.ok(
      found.some((place) => servers.some((name) => place.includes(`${namespace}/${name} `))),
      "the control: the statement that failed",
    );
  });

  it("in metrics, and in what PostgreSQL shows of itself", async () => {
    const { pages, unread } = await metricsOf(env, pods);
    assert.deepEqual(unread, []);
    const found = onlyControl(inTexts(pages.map(({ place, text }) => [place, text])));
    say(pages.map(({ place }) => place).join("; "));
    assert.deepEqual(found, [`metrics of ${env.settings.cluster.namespace}/${controlName} at 9100`]);

    const primary = await env.cluster.primary();
    const counted = await env.cluster.sql(
      primary,
      "select extname from pg_extension where extname = 'pg_stat_statements'",
    );
    const questions = [
      "select name, setting, boot_val, reset_val from pg_settings",
      "select * from pg_db_role_setting",
      "select query from pg_stat_activity",
      "select conninfo from pg_stat_wal_receiver",
      "select * from pg_hba_file_rules",
      ...(counted.length > 0 ? ["select query from pg_stat_statements"] : []),
    ];
    const hits: Hit[] = [];
    for (const pod of await env.cluster.names())
      for (const question of questions)
        hits.push(...search.hits(`${pod}: ${question}`, (await env.cluster.sql(pod, question)).join("\n")));
    assert.deepEqual(onlyControl(hits), []);
    const [answer = ""] = await env.cluster.sql(primary, `select '${control.value}'`);
    assert.ok(search.hits("the control", answer).length > 0, "the control: an answer that has it");
  });

  /** Each text of a bundle, by its file. */
  async function textsOf(bundle: string): Promise<(readonly [string, string])[]> {
    const files = await filesIn([bundle]);
    return Promise.all(
      files.map(async (file) => [relative(bundle, file), await readFile(file, "utf8")] as const),
    );
  }

  it("in a support bundle, which is made while they leak all around it", async () => {
    const archive = join(folder, "support.tar.gz");
    await run("./pgp", ["support", "--stack", stackName, "--output", archive], { cwd: projectDir });
    const bundle = join(folder, "bundle");
    await mkdir(bundle);
    await run("tar", ["-xzf", archive, "-C", bundle]);
    const texts = await textsOf(bundle);
    assert.deepEqual(inTexts(texts).map(sentence), []);
    // It had what leaks in its hands: the control is where it was, masked.
    const masked = (file: RegExp, near: string) =>
      assert.ok(
        texts.some(([name, text]) => file.test(name) && text.includes(near) && text.includes("«masked»")),
        `${file}: ${near}`,
      );
    masked(/configmaps\.yaml$/, controlName);
    masked(/events\.yaml$/, controlName);
    masked(/pods\.yaml$/, controlName);
    masked(/\/logs\/.*\.log$/, "leak_control");

    await writeFile(join(bundle, "planted.txt"), `before ${control.value} after`);
    const found = inTexts(await textsOf(bundle));
    assert.deepEqual([...new Set(found.map(({ place }) => place))], ["planted.txt"], "the control");
    say(`${texts.length} files`);
  });

  it("in what commands print, and in pages of evidence", async () => {
    const texts: [string, string][] = [];
    const keep = (what: string, exitCode: number, text: string) => {
      say(`${what}: exit code ${exitCode}, ${text.split("\n").length} lines`);
      texts.push([what, text]);
      return exitCode;
    };
    const made = async (target: string, variables: Record<string, string> = {}) => {
      const { exitCode, lines } = await make(target, { variables, quiet: true });
      return keep(`make ${target}`, exitCode, lines.join("\n"));
    };
    const pgp = async (...args: string[]) => {
      const of = [...args, "--stack", stackName];
      const { exitCode, stdout, stderr } = await run("./pgp", of, { cwd: projectDir, allowFailure: true });
      return keep(`pgp ${args.join(" ")}`, exitCode, `${stdout}\n${stderr}`);
    };
    assert.equal(await made("up"), 0);
    assert.equal(await made("preview"), 0);
    await made("status");
    await made("backups");
    await made("logs", { ARGS: "--no-follow --json --since 1h" });
    for (const args of [["status", "--json"], ["history"], ["pooler", "show"], ["blockers"], ["health"]])
      await pgp(...args);
    assert.equal(await pgp("report", "--markdown"), 0);
    assert.equal(await pgp("report", "--plan", "--json"), 0);
    const pages = ["validation.xml", "validation.md"].map((file) => join(folder, file));
    const [junit = "", markdown = ""] = pages;
    await pgp("validate", "--no-disruption", "--junit", junit, "--markdown", markdown);
    for (const page of pages) {
      assert.ok(await exists(page), page);
      texts.push([relative(folder, page), await readFile(page, "utf8")]);
    }
    // The control: PostgreSQL's log has the statement that failed, and `make logs` shows it.
    assert.deepEqual(onlyControl(inTexts(texts)), ["make logs"]);
  });

  /** The container of a process, with what it declares; undefined where its pod has gone. */
  function containersById(all: readonly KubeObject[]) {
    type Container = { name: string };
    const found = new Map<string, { name: string; place: string; namespace: string; declared: Declared[] }>();
    for (const pod of all) {
      const { namespace = "default", name } = pod.metadata;
      const spec = (pod.spec ?? {}) as { containers?: Container[]; initContainers?: Container[] };
      for (const status of containersOf(pod)) {
        const own = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].find(
          (container) => container.name === status.name,
        );
        found.set(idOf(status), {
          name: status.name,
          namespace,
          place: `${namespace}/${name} ${status.name}`,
          declared: declaredIn(own),
        });
      }
    }
    return found;
  }

  const inProcesses = async (): Promise<{ processes: SeenProcess[]; unread: string[] }> => {
    if (watch === undefined) return processesByExec(env, pods);
    watch.stop();
    say(`${watch.looks} looks at this machine's processes`);
    return { processes: watch.processes, unread: [] };
  };

  // The last case: until here the processes of all commands were seen, too.
  it("in command lines, and in environments but for those that a table allows", async () => {
    const { processes, unread } = await inProcesses();
    if (unread.length > 0) say(`NOT READ, since it has no shell: ${unread.join(", ")}`);
    const containers = containersById([...pods, ...(await podsIn(env, namespaces))]);
    const inPods = processes.filter(({ pod }) => pod !== undefined);
    say(`${processes.length} processes, ${inPods.length} of them in pods`);

    const placed = ({ program, pod, container = "" }: SeenProcess) => {
      const known = containers.get(container);
      return `${program.slice(0, 40)} in ${known?.place ?? (pod === undefined ? "no pod" : `pod ${pod}`)}`;
    };
    const lines = onlyControl(
      processes.flatMap((one) => search.hits(`the command line of ${placed(one)}`, one.commandLine)),
    );
    assert.ok(
      lines.some((place) => place.includes(`/${controlName} server`)),
      "the control: a command line",
    );

    const allowed = new Set<string>();
    const hits = inPods.flatMap((one) =>
      one.environment.flatMap((text) => {
        const variable = text.slice(0, text.indexOf("="));
        return search.hits(`${variable} of ${placed(one)}`, text).filter((hit) => {
          const container = containers.get(one.container ?? "");
          const prefix = `${container?.namespace}/`;
          const secrets = hit.at.flatMap((at) =>
            at.startsWith(prefix) ? (at.slice(prefix.length).split(" ")[0] ?? []) : [],
          );
          if (isControl(hit) || !mayHold(variable, container, secrets)) return true;
          allowed.add(`${variable} of ${container?.place ?? "a pod that has gone"}`);
          return false;
        });
      }),
    );
    const variables = onlyControl(hits);
    for (const variable of ["PLANTED", "PGPASSWORD"])
      assert.ok(
        variables.some((place) => place.startsWith(`${variable} of `) && place.includes(controlName)),
        `the control: ${variable}`,
      );
    for (const one of [...allowed].sort()) say(`allowed: ${one}`);

    // A row that nothing needs any more goes.
    for (const { engine, variable } of byOperator.filter((row) => row.engine === env.engine.name))
      assert.ok(
        [...allowed].some((one) => variable.test(one.split(" ")[0] ?? "")),
        `${engine}: ${variable}`,
      );
    // What running containers take out of Secrets was seen in them: environments were really read.
    const running = pods.flatMap((pod) =>
      containersOf(pod).flatMap((status) => (status.state?.running === undefined ? [] : idOf(status))),
    );
    const declared = running.flatMap((id) => containers.get(id)?.declared ?? []);
    const secret = declared
      .map(({ variable }) => variable)
      .filter((name) => /PASS|CONNECTION|SECRET/.test(name));
    if (unread.length === 0)
      for (const variable of new Set(secret))
        assert.ok(
          [...allowed].some((one) => one.startsWith(`${variable} of `)),
          `${variable} was not read`,
        );
  });
});
