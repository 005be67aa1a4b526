import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issue } from "../../components/issuing";
import { manifestFile } from "../../local/manifests";
import {
  addressOf,
  ANSWER_TIMEOUT_MS,
  downloadPinned,
  downloadRelease,
  type Release,
  sumFor,
} from "../../local/toolchain/download";
import { pins } from "../../releases/pins";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import {
  type Answer,
  body,
  half,
  halfChunked,
  hexOf,
  inTurn,
  type Listening,
  moved,
  publications,
  redirect,
  serve,
  serveProxy,
  silent,
} from "../support/publishers";

const content = "what the publisher made";
const name = "tool.tgz";
const sums = body(`${hexOf("sha256", "other")}  other.tgz\n${hexOf("sha256", content)}  ${name}\n`);

describe("lists of sums", () => {
  it("are read as `sha256sum`, `shasum` and kubectl's publisher write them", () => {
    const sha256 = { algorithm: "sha256", hex: hexOf("sha256", content) };
    const sha1 = { algorithm: "sha1", hex: hexOf("sha1", content) };
    const cases: [string, unknown][] = [
      [`${sha256.hex}  ${name}`, sha256],
      [`${sha256.hex}  ${name}\r\n`, sha256],
      [`${sha256.hex} *./dist/${name}`, sha256],
      [sha256.hex, sha256],
      [`${sha256.hex}\n`, sha256],
      [`${sha1.hex}  ./${name}\n`, sha1],
      [`${sha1.hex}  ${name}\n${sha256.hex}  ${name}\n`, sha256],
      [`${sha256.hex}  other.tgz`, undefined],
      [`${sha256.hex}\n${sha256.hex}\n`, undefined],
      [`${sha256.hex.slice(0, 50)}  ${name}`, undefined],
      ["<html>Not Found</html>", undefined],
      ["", undefined],
    ];
    for (const [list, expected] of cases) assert.deepEqual(sumFor(list, name), expected, list);
  });
});

describe("downloads (stand-ins of the publishers on loopback)", () => {
  const answers: Record<string, Answer> = {};
  let server: Listening;
  let folder = "";
  let count = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "pgp-downloads-"));
    server = await serve(answers);
  });

  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  /** Downloads a file with these answers; returns its content and the kind of its sum. */
  async function download(file: Answer, list: Answer = sums, more: Partial<Release> = {}, answerMs?: number) {
    const path = `/${count++}`;
    answers[`${path}/${name}`] = file;
    answers[`${path}/sums.txt`] = list;
    const base = `http://127.0.0.1:${server.port}${path}`;
    const out = join(folder, `out${count}`);
    const release = { url: `${base}/${name}`, checksumsUrl: `${base}/sums.txt`, ...more };
    try {
      const checked = await downloadRelease(release, out, answerMs === undefined ? {} : { answerMs });
      return [checked, readFileSync(out, "utf8")];
    } catch (error) {
      assert.equal(existsSync(out), false, "a file that was refused must not be there");
      throw error;
    }
  }

  it("keep a file whose sum is the publisher's, through redirects too", async () => {
    assert.deepEqual(await download(body(content)), ["sha256", content]);
    answers["/stored?sp=r&sig=a%2Fb"] = body(content);
    answers["/second"] = redirect(`http://127.0.0.1:${server.port}/stored?sp=r&sig=a%2Fb`);
    assert.deepEqual(await download(redirect("/second")), ["sha256", content]);
  });

  it("take SHA-1 only from a publisher that is known to list nothing else", async () => {
    const list = body(`${hexOf("sha1", content)}  ./${name}\n`);
    assert.deepEqual(await download(body(content), list, { weakest: "sha1" }), ["sha1", content]);
    await assert.rejects(download(body(content), list), /sums\.txt has no SHA-256 sum for tool\.tgz/);
    await assert.rejects(
      download(body("tampered"), list, { weakest: "sha1" }),
      /SHA-1 is [0-9a-f]{40}, and its publisher lists [0-9a-f]{40}$/,
    );
  });

  const refused: [string, Answer, Answer, RegExp][] = [
    [
      "another content",
      body("tampered"),
      sums,
      /SHA-256 is [0-9a-f]{64}, and its publisher lists [0-9a-f]{64}$/,
    ],
    ["half a file that ends well", body(content.slice(0, 9)), sums, /SHA-256 is/],
    [
      "a list without the file",
      body(content),
      body(`${hexOf("sha256", content)}  other.tgz\n`),
      /has no SHA-256 sum/,
    ],
    ["a page in place of the list", body(content), body("<html></html>"), /has no SHA-256 sum/],
    ["no list", body(content), body("", 404), /sums\.txt: 127\.0\.0\.1:\d+ answered 404$/],
    [
      "a firewall's refusal",
      body("<html>blocked</html>", 403),
      sums,
      /tool\.tgz: 127\.0\.0\.1:\d+ answered 403$/,
    ],
    ["a broken server", body("", 503), sums, /answered 503$/],
    ["half a file, twice", half(content), sums, /broke off after 11 bytes/],
    ["half a file of unknown length, twice", halfChunked(content), sums, /broke off after 11 bytes/],
    [
      "redirects without end",
      (request, response) => redirect(request.url!)(request, response),
      sums,
      /redirects again and again$/,
    ],
    [
      "a redirect to nowhere",
      redirect("http://127.0.0.1:1/x"),
      sums,
      /tool\.tgz: connect ECONNREFUSED 127\.0\.0\.1:1$/,
    ],
  ];
  for (const [what, file, list, sentence] of refused)
    it(`refuse ${what}, and leave no file`, () => assert.rejects(download(file, list), sentence));

  it("ask once more for a body that broke off", async () => {
    assert.deepEqual(await download(inTurn(half(content), body(content))), ["sha256", content]);
    assert.deepEqual(await download(inTurn(halfChunked(content), body(content))), ["sha256", content]);
  });

  it("give a silent host up for that file alone, and name it", async () => {
    assert.ok(ANSWER_TIMEOUT_MS >= 30_000);
    await assert.rejects(
      download(silent, sums, {}, 200),
      /tool\.tgz: 127\.0\.0\.1:\d+ did not answer within 0\.2 s$/,
    );
    answers["/silent"] = silent;
    await assert.rejects(
      download(redirect(`http://localhost:${server.port}/silent`), sums, {}, 200),
      /tool\.tgz: localhost:\d+ did not answer within 0\.2 s$/,
    );
    assert.deepEqual(await download(body(content)), ["sha256", content]);
  });

  it("wait for a slow first byte", async () => {
    const slow: Answer = (request, response) => {
      // Later than what another request takes from end to end.
      void download(body(content)).then(() => body(content)(request, response));
    };
    assert.deepEqual(await download(slow), ["sha256", content]);
  });

  it("end when the command is interrupted", async () => {
    const controller = new AbortController();
    answers["/interrupted"] = () => controller.abort();
    await assert.rejects(
      downloadPinned(`http://127.0.0.1:${server.port}/interrupted`, "", { signal: controller.signal }),
      { name: "AbortError" },
    );
  });

  it("go below the mirror of PGP_MIRROR where there is one", () => {
    const url = "https://github.com/a/b/c.tgz";
    assert.equal(addressOf(url, ""), url);
    assert.equal(
      addressOf(url, "https://mirror.example/raw/"),
      "https://mirror.example/raw/github.com/a/b/c.tgz",
    );
  });

  it("come from no mirror that sends lists of sums unprotected over a network", () => {
    const url = "https://github.com/a";
    for (const mirror of [
      "http://127.0.0.1:8080",
      "http://localhost/x",
      "http://[::1]:1",
      "HTTPS://mirror.example",
    ])
      assert.equal(addressOf(url, mirror), `${mirror}/github.com/a`);
    for (const mirror of [
      "http://mirror.example",
      "HTTP://mirror.example/raw",
      "http://localhost.example",
      "http://127.0.0.1.example",
      "http://127.0.0.1@mirror.example",
      "ftp://mirror.example",
      "mirror.example",
    ])
      assert.throws(() => addressOf(url, mirror), {
        name: "UserError",
        message: `PGP_MIRROR: "${mirror}" is not allowed. Allowed: an https:// URL, or http:// on this machine. Fix: correct it, or unset it.`,
      });
  });

  it("go through the proxy of HTTP_PROXY, but for the hosts of NO_PROXY", async () => {
    answers["/proxied"] = body(content);
    const proxy = await serveProxy("publisher.invalid", server.port);
    const names = ["HTTP_PROXY", "NO_PROXY", "http_proxy", "no_proxy"];
    const former = names.map((variable) => process.env[variable]);
    try {
      names.forEach((variable) => delete process.env[variable]);
      process.env.HTTP_PROXY = `http://127.0.0.1:${proxy.port}`;
      process.env.NO_PROXY = "127.0.0.1";
      const pinned = hexOf("sha256", content);
      const through = await downloadPinned("http://publisher.invalid/proxied", pinned);
      assert.equal(through.toString(), content);
      const direct = await downloadPinned(`http://127.0.0.1:${server.port}/proxied`, pinned);
      assert.equal(direct.toString(), content);
      assert.equal(proxy.asked.length, 1);
      await assert.rejects(
        downloadPinned("http://elsewhere.invalid/proxied", pinned),
        /elsewhere\.invalid.*403/,
      );
    } finally {
      names.forEach((variable, index) => {
        delete process.env[variable];
        if (former[index] !== undefined) process.env[variable] = former[index];
      });
      await proxy.close();
    }
  });
});

describe("an operator's manifest", () => {
  it("is asked for once, and again where its file is cut short", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pgp-manifest-"));
    try {
      const path = join(folder, "manifests", "cnpg.json");
      const asked: string[] = [];
      const made = () =>
        manifestFile("cnpg", path, (part) => {
          asked.push(part);
          return Promise.resolve(`kind: Namespace\nmetadata: { name: ${part} }`);
        });
      const text = async () => readFileSync(await made(), "utf8");
      const whole = await text();
      assert.match(whole, /"cnpg".*"barmanPlugin"/);
      assert.equal(await text(), whole);
      assert.deepEqual(asked, ["cnpg", "barmanPlugin"]);
      for (const broken of ["", whole.slice(0, -1)]) {
        await writeFile(path, broken);
        assert.equal(await text(), whole);
      }
      assert.equal(asked.length, 6);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("`make tools` from an empty home without Go on PATH (publishers and a proxy: stand-ins on loopback)", () => {
  const mirror = "publishers.invalid";
  let folder = "";
  let answers: Record<string, Answer>;
  let server: Listening;
  let proxy: Listening;

  before(async function () {
    this.timeout(180_000);
    folder = mkdtempSync(join(tmpdir(), "pgp-first-run-"));
    const { ca, certificate, privateKey } = await issue([mirror]);
    await writeFile(join(folder, "ca.crt"), ca);
    mkdirSync(join(folder, "bin"));
    const found = async (program: string) => (await run("which", [program])).stdout.trim();
    for (const program of ["tar", "gzip", "sh", "cp"])
      symlinkSync(await found(program), join(folder, "bin", program));
    symlinkSync(process.execPath, join(folder, "bin", "node"));
    answers = await publications();
    server = await serve(answers, { cert: certificate, key: privateKey });
    proxy = await serveProxy(mirror, server.port);
  });

  after(async () => {
    await server.close();
    await proxy.close();
    rmSync(folder, { recursive: true });
  });

  async function tools(home: string, from = `https://${mirror}`) {
    const path = join(folder, home);
    mkdirSync(path);
    server.asked.length = 0;
    const kept = Object.keys(process.env).map((variable) => [variable, undefined] as const);
    const { exitCode, stdout } = await run(
      process.execPath,
      ["--import", "tsx", "operations/cli.ts", "tools"],
      {
        cwd: projectDir,
        allowFailure: true,
        env: {
          ...Object.fromEntries(kept),
          HOME: path,
          PATH: join(folder, "bin"),
          NODE_EXTRA_CA_CERTS: join(folder, "ca.crt"),
          HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
          PGP_MIRROR: from,
        },
      },
    );
    return { exitCode, stdout, cache: join(path, ".cache/postgres-platform") };
  }

  it("brings tools and manifests with the sums checked, by commit although a tag was moved", async () => {
    const { exitCode, stdout, cache } = await tools("good");
    assert.equal(exitCode, 0, stdout);
    for (const [tool, program] of [
      ["pulumi", "pulumi-language-nodejs"],
      ["pulumi-resource-kubernetes", "pulumi-resource-kubernetes"],
      ["pulumi-resource-random", "pulumi-resource-random"],
      ["kubectl", "kubectl"],
    ] as const) {
      assert.match(stdout, new RegExp(`tools: ${tool} \\(downloaded\\)`));
      const [key = ""] = readdirSync(join(cache, "releases", tool));
      const path = join(cache, "releases", tool, key, program);
      assert.equal((await run(path)).stdout, `${program}\n`);
      assert.equal(statSync(path).uid, process.getuid?.());
    }
    assert.match(stdout, /pulumi-resource-random: its publisher lists no sums but SHA-1; this one is right/);
    const manifests = readdirSync(join(cache, "manifests")).filter((file) => file.endsWith(".json"));
    assert.equal(manifests.length, 3);
    for (const file of manifests)
      assert.doesNotMatch(readFileSync(join(cache, "manifests", file), "utf8"), /of another commit/);
    assert.ok(server.asked.some((path) => path.includes(pins.commits.zalando)));
    assert.deepEqual(
      server.asked.filter((path) => path.startsWith("/raw.") && /\/v\d/.test(path)),
      [],
    );
    assert.ok(proxy.asked.length > 0 && proxy.asked.every((target) => target === `CONNECT ${mirror}:443`));
  }).timeout(120_000);

  it("refuses a mirror without TLS in one sentence, and asks nothing of it", async () => {
    const { exitCode, stdout } = await tools("plain", `http://${mirror}`);
    assert.equal(exitCode, 1);
    assert.match(stdout, /error: PGP_MIRROR: "http:\/\/publishers\.invalid" is not allowed\./);
    assert.doesNotMatch(stdout, /can't be downloaded/);
    assert.deepEqual(server.asked, []);
  }).timeout(120_000);

  it("finds out a file of another commit, wherever it comes from", async () => {
    const path = Object.keys(answers).find((one) =>
      one.includes(`${pins.commits.zalando}/manifests/postgresql.crd`),
    )!;
    const right = answers[path]!;
    answers[path] = body(moved);
    try {
      const { exitCode, stdout, cache } = await tools("moved");
      assert.equal(exitCode, 1);
      assert.match(
        stdout,
        /error: https:\/\/publishers\.invalid\/raw\S+postgresql\.crd\.yaml: SHA-256 is [0-9a-f]{64}, and this version of the project was made for 38f143af/,
      );
      assert.deepEqual(
        readdirSync(join(cache, "manifests")).filter((file) => file.startsWith("zalando-")),
        [],
      );
    } finally {
      answers[path] = right;
    }
  }).timeout(120_000);

  it("names the one host that fails, and has all other tools", async () => {
    const paths = Object.keys(answers).filter((path) => path.startsWith("/cdn.dl.k8s.io/"));
    const right = paths.map((path) => answers[path]!);
    paths.forEach((path) => (answers[path] = body("<html>blocked</html>", 403)));
    try {
      const { exitCode, stdout } = await tools("blocked");
      assert.equal(exitCode, 1);
      assert.match(stdout, /tools: pulumi-resource-random \(downloaded\)/);
      assert.match(
        stdout,
        /error: kubectl can't be downloaded: https:\/\/publishers\.invalid\/dl\.k8s\.io\/\S+: publishers\.invalid answered 403\. Fix: let this machine reach that address \(HTTPS_PROXY and NO_PROXY count, PGP_MIRROR names a mirror\)\. Otherwise kubectl has to be built here, and Go is not installed; install Go 1\.26\.0 or newer/,
      );
    } finally {
      paths.forEach((path, index) => (answers[path] = right[index]!));
    }
  }).timeout(120_000);
});
