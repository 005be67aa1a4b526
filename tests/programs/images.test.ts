import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer as createHttp, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Ajv from "ajv/dist/2020";
import { imagesReport, type ImageReport, type ImagesReport } from "../../operations/images/report";
import { schemaOf } from "../../operations/command/schemas";
import { imagesOf, mirrored } from "../../checks/images";
import { planners } from "../../plan/engines/select";
import { crane } from "../../local/toolchain/crane";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";

/**
 * `pgp images` against a real registry on loopback, crane's own in memory, with two tiny images. The registries of the upstream images are never
 * asked. cosign is **a stand-in**, a script that writes its arguments down: it can't be had here.
 */

interface Ran {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
  readonly seconds: number;
}

const portOf = (server: { address(): AddressInfo | string | null }): number =>
  (server.address() as AddressInfo).port;

const listening = <T extends Server | HttpServer>(server: T): Promise<T> =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));

describe("pgp images (a registry on loopback; cosign is a stand-in)", function () {
  // The first run builds crane.
  this.timeout(600_000);
  let folder = "";
  let program = "";
  let registry: ChildProcess | undefined;
  let host = "";
  let refusing: HttpServer;
  let silent: Server;
  const sockets = new Set<Socket>();
  const digests: Record<"old" | "new", string> = { old: "", new: "" };

  const file = () => join(folder, "stacks", "Pulumi.shop.yaml");
  const stack = (images: string): string => `# The shop.
config:
  pgplatform:platform: cloud
  pgplatform:tier: dev # not yet
  pgplatform:cluster:
    name: main
    namespace: postgres
    engine: standalone
    instances: 1
    durability: async
    # as the others
    storage: {class: gp3,   size: 20Gi}
    databases: [{name: app, owner: app}]
  pgplatform:monitoring: {prometheus: none}
${images}
  # The poolers' end.
  pgplatform:poolers:
    - {name: app, database: app, serverConnections: 30}
`;

  const environment = (more: Record<string, string>) => ({
    ...process.env,
    PGP_STACKS: join(folder, "stacks"),
    PGP_STATE: join(folder, "state"),
    DOCKER_CONFIG: join(folder, "docker"),
    ENGINE: "",
    FORCE: "",
    ...more,
  });

  const begin = (args: string[], more: Record<string, string> = {}) =>
    spawn(join(projectDir, "pgp"), ["images", "--stack", "shop", ...args], {
      cwd: projectDir,
      env: environment(more),
      stdio: ["ignore", "pipe", "pipe"],
    });

  const ended = (child: ReturnType<typeof begin>): Promise<Ran> =>
    new Promise((resolve) => {
      const started = Date.now();
      let [out, err] = ["", ""];
      child.stdout.on("data", (data: Buffer) => (out += data.toString()));
      child.stderr.on("data", (data: Buffer) => (err += data.toString()));
      child.on("close", (exit) => resolve({ exit, out, err, seconds: (Date.now() - started) / 1000 }));
    });

  const pgp = (args: string[], more: Record<string, string> = {}) => ended(begin(args, more));

  const json = async (args: string[], more: Record<string, string> = {}) => {
    const ran = await pgp([...args, "--json"], more);
    return { ...ran, report: JSON.parse(ran.out) as ImagesReport };
  };

  const stateOf = (report: ImagesReport): Record<string, string> =>
    Object.fromEntries(
      report.images.map(({ settings, state }) => [
        settings[0]?.replace("pgplatform:images.", "") ?? "",
        state,
      ]),
    );

  const of = (report: ImagesReport, key: string): ImageReport | undefined =>
    report.images.find(({ settings }) => settings.includes(`pgplatform:images.${key}`));

  const push = async (content: string, name: string): Promise<string> => {
    const tar = join(folder, `${content}.tar`);
    writeFileSync(join(folder, content), content);
    await run("tar", ["--mtime=@0", "-cf", tar, "-C", folder, content]);
    await run(program, ["append", "--new_layer", tar, "--new_tag", name]);
    return (await run(program, ["digest", name])).stdout.trim();
  };

  /** The mirror's copies of the default images, in the order of the settings. */
  const keys = ["postgresExporter", "pgbouncer", "pgbouncerExporter", "postgresql"] as const;
  const defaults = imagesOf("cloud", planners.standalone, "17");
  const copyOf = (key: (typeof keys)[number]) => mirrored(defaults[key], `${host}/mirror`);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "pgp-images-"));
    for (const name of ["stacks", "state", "docker"]) mkdirSync(join(folder, name));
    program = await crane();
    registry = spawn(program, ["registry", "serve", "--address", "127.0.0.1:0"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = await new Promise<string>((resolve, reject) => {
      let text = "";
      const read = (data: Buffer) => {
        text += data.toString();
        if (/serving on port \d+|:\d+/.test(text)) resolve(text);
      };
      registry?.stdout?.on("data", read);
      registry?.stderr?.on("data", read);
      registry?.on("exit", () => reject(new Error(`the registry ended: ${text}`)));
    });
    host = `127.0.0.1:${/(\d+)\s*$/.exec(said.trim())?.[1] ?? ""}`;
    for (const key of keys) digests.old = await push("old", copyOf(key));
    refusing = await listening(createHttp((_, answer) => answer.writeHead(401).end()));
    silent = await listening(
      createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => undefined);
      }),
    );
  });

  after(() => {
    registry?.kill();
    refusing.close();
    sockets.forEach((socket) => socket.destroy());
    silent.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("lists what isn't pinned, as text and by its schema, with 3", async () => {
    writeFileSync(file(), stack(`  pgplatform:images:\n    registry: ${host}/mirror # ours`));
    const { exit, report } = await json([]);
    assert.equal(exit, 3);
    assert.ok(new Ajv({ strict: false }).validate(schemaOf(imagesReport), report));
    assert.deepEqual(stateOf(report), {
      postgresExporter: "not pinned",
      pgbouncer: "not pinned",
      pgbouncerExporter: "not pinned",
      postgresql: "not pinned",
    });
    const pooler = of(report, "pgbouncer");
    assert.equal(pooler?.today, digests.old);
    assert.equal(pooler?.repository, `${host}/mirror/cloudnative-pg/pgbouncer`);
    assert.equal(pooler?.signature.state, "not verified");
    assert.match(pooler?.sbom?.command ?? "", /\/mirror\/cloudnative-pg\/pgbouncer:\S+ --format/);
    const { out, err, exit: again } = await pgp([]);
    assert.equal(again, 3);
    assert.match(out, /^not pinned {1,3}127\.0\.0\.1:\d+\/mirror\/cloudnative-pg\/pgbouncer:[\w.]+$/m);
    assert.match(out, /4 images: 4 not pinned\. `pgp images --write` pins them\.\n$/);
    assert.match(err, /digests of 4 images …/);
  });

  it("asks before it writes, and without an answer writes nothing", async () => {
    const before = readFileSync(file(), "utf8");
    const { exit, err } = await pgp(["--write"]);
    assert.equal(exit, 1);
    assert.match(err, /Write 4 digests into .*Pulumi\.shop\.yaml now\? There is no terminal/);
    assert.equal(readFileSync(file(), "utf8"), before);
  });

  it("writes the digests, and nothing else of the file changes; then all are pinned", async () => {
    const { exit, out, err } = await pgp(["--write", "--yes"]);
    assert.equal(exit, 0, err);
    const pinned = keys.map((key) => `    ${key}: ${copyOf(key)}@${digests.old}`);
    assert.equal(
      readFileSync(file(), "utf8"),
      stack(["  pgplatform:images:", `    registry: ${host}/mirror # ours`, ...pinned].join("\n")),
    );
    // Lines, and what an update does because of them.
    assert.match(
      err,
      new RegExp(`\\+ {4}pgbouncer: ${host}/mirror/cloudnative-pg/pgbouncer:1\\.25\\.2@sha256:`),
    );
    assert.match(err, /restart: .*\n(.*\n)*.*writes pause/);
    assert.match(err, /pause: .*\n(.*\n)*.*Deployment postgres\/main-pooler-app: .*image: /);
    assert.match(out, /4 images: 4 pinned\. 4 written into/);
    const { exit: again, report } = await json([]);
    assert.equal(again, 0);
    assert.deepEqual([...new Set(Object.values(stateOf(report)))], ["pinned"]);
    assert.match((await pgp(["--write", "--yes"])).out, /Nothing to write\.\n$/);
  });

  it("tells both digests of a moved tag, and replaces it only when asked to", async () => {
    const before = readFileSync(file(), "utf8");
    digests.new = await push("new", copyOf("pgbouncer"));
    assert.notEqual(digests.new, digests.old);
    const { exit, report } = await json(["--write", "--yes"]);
    assert.equal(exit, 3);
    assert.deepEqual(
      [of(report, "pgbouncer")?.state, of(report, "pgbouncer")?.pinned, of(report, "pgbouncer")?.today],
      ["moved", digests.old, digests.new],
    );
    assert.equal(readFileSync(file(), "utf8"), before);
    assert.match((await pgp([])).out, new RegExp(`pinned {3}${digests.old}\n {2}today {4}${digests.new}`));
    assert.equal((await pgp(["--write", "--update-moved", "--yes"])).exit, 0);
    assert.equal(
      readFileSync(file(), "utf8"),
      before.replace(`${copyOf("pgbouncer")}@${digests.old}`, `${copyOf("pgbouncer")}@${digests.new}`),
    );
  });

  it("says why a digest isn't known: no tag, a refusal, silence; and writes nothing then", async () => {
    writeFileSync(
      file(),
      stack(
        [
          "  pgplatform:images:",
          `    registry: ${host}/mirror`,
          `    postgresql: ${host}/mirror/library/postgres:17.99`,
          `    pgbouncer: 127.0.0.1:${portOf(refusing)}/pgbouncer:1`,
          `    pgbouncerExporter: 127.0.0.1:${portOf(silent)}/exporter:1`,
        ].join("\n"),
      ),
    );
    const before = readFileSync(file(), "utf8");
    const { exit, report, seconds } = await json(["--timeout", "2"]);
    assert.equal(exit, 3);
    assert.ok(seconds < 60, String(seconds));
    const why = (key: string) => `${of(report, key)?.state}: ${of(report, key)?.why}`;
    assert.match(why("postgresql"), /^not known: its registry has no such tag/);
    assert.match(why("pgbouncer"), /^not known: its registry wants a login/);
    assert.match(why("pgbouncerExporter"), /^not known: its registry didn't answer within 2 s/);
    assert.equal(of(report, "postgresExporter")?.state, "not pinned");
    const refused = await pgp(["--write", "--yes", "--timeout", "2"]);
    assert.equal(refused.exit, 1);
    assert.match(refused.err, /error: .*postgres:17\.99: its registry has no such tag/);
    assert.match(refused.err, /Nothing was written, since not every digest is known\./);
    assert.equal(readFileSync(file(), "utf8"), before);
  });

  it("ends with Ctrl-C at once, and leaves no crane behind", async () => {
    sockets.clear();
    const child = begin(["--timeout", "300"]);
    const ending = ended(child);
    while (sockets.size === 0) await delay(50);
    const asked = Date.now();
    child.kill("SIGINT");
    const { exit, err } = await ending;
    assert.equal(exit, 130, err);
    assert.ok(Date.now() - asked < 10_000, String(Date.now() - asked));
    const left = readdirSync("/proc").filter((pid) => {
      if (!/^\d+$/.test(pid) || !existsSync(`/proc/${pid}/cmdline`)) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`127.0.0.1:${portOf(silent)}/exporter`);
      } catch {
        return false;
      }
    });
    assert.deepEqual(left, []);
  });

  it("refuses to write into a text of JSON, and options without a meaning", async () => {
    writeFileSync(file(), stack(`  pgplatform:images: '{"registry": "${host}/mirror"}'`));
    const { exit, err } = await pgp(["--write", "--yes"]);
    assert.equal(exit, 1);
    assert.match(err, /pgplatform:images in .* is no map of YAML/);
    assert.match((await pgp(["--update-moved"])).err, /Allowed: with --write/);
  });

  describe("with programs on PATH", () => {
    const bin = () => join(folder, "bin");
    const script = (name: string, lines: string) => {
      mkdirSync(bin(), { recursive: true });
      writeFileSync(join(bin(), name), `#!/bin/sh\n${lines}\n`);
      chmodSync(join(bin(), name), 0o755);
    };
    const withBin = () => ({ PATH: `${bin()}${delimiter}${process.env.PATH ?? ""}` });
    const calls = (name: string) =>
      readFileSync(join(folder, `${name}.calls`), "utf8")
        .trim()
        .split("\n");

    before(() =>
      writeFileSync(
        file(),
        stack(
          [
            "  pgplatform:images:",
            `    registry: ${host}/mirror`,
            `    pgbouncer: ${copyOf("pgbouncer")}@${digests.old}`,
          ].join("\n"),
        ),
      ),
    );
    afterEach(() => rmSync(bin(), { recursive: true, force: true }));

    it("takes a crane that fits, and not one that is too old", async () => {
      const stub = (version: string) =>
        script(
          "crane",
          `[ "$1" = version ] && { echo ${version}; exit 0; }\necho "$@" >> ${folder}/crane.calls\nexec ${program} "$@"`,
        );
      stub("v0.20.2");
      assert.equal((await pgp([], withBin())).exit, 3);
      assert.deepEqual(calls("crane").sort(), keys.map((key) => `digest ${copyOf(key)}`).sort());
      rmSync(join(folder, "crane.calls"));
      stub("0.1.0");
      assert.equal((await pgp([], withBin())).exit, 3);
      assert.ok(!existsSync(join(folder, "crane.calls")));
    });

    it("says that nothing was verified without cosign, with 4", async () => {
      const folders = (process.env.PATH ?? "")
        .split(delimiter)
        .filter((one) => !existsSync(join(one, "cosign")));
      const { exit, out } = await pgp(["--verify"], { PATH: folders.join(delimiter) });
      assert.equal(exit, 4);
      assert.match(out, /no signature was verified: cosign is not on PATH\./);
    });

    it("has cosign verify the pinned digest of what is signed, and tells what it says", async () => {
      script("cosign", `[ "$1" = version ] && exit 0\necho "$@" >> ${folder}/cosign.calls\nexit 0`);
      const verified = await json(["--verify"], withBin());
      assert.equal(verified.exit, 3);
      assert.equal(of(verified.report, "pgbouncer")?.signature.state, "verified");
      assert.equal(of(verified.report, "postgresql")?.signature.state, "not known");
      assert.deepEqual(calls("cosign"), [
        `verify --certificate-identity-regexp ^https://github\\.com/cloudnative-pg/pgbouncer-containers/ --certificate-oidc-issuer https://token.actions.githubusercontent.com ${host}/mirror/cloudnative-pg/pgbouncer@${digests.old}`,
      ]);
      script("cosign", `[ "$1" = version ] && exit 0\necho "Error: no matching signatures" >&2\nexit 12`);
      const { exit, out } = await pgp(["--verify"], withBin());
      assert.equal(exit, 5);
      assert.match(out, /signed {3}NOT VERIFIED: cosign says: Error: no matching signatures/);
    });
  });
});
