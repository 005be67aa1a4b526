import "reflect-metadata";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { X509Certificate, webcrypto } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import * as x509 from "@peculiar/x509";
import { run } from "../../shell/process";
import { builtImage } from "../support/builtImages";

/** What the monitor's script reads out of certificates, beside what node and openssl read out of the same ones. */

const script = join(__dirname, "../../plan/monitoring/scripts/certificates.sh");
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate in PEM that ends then; `name` is long where the lengths in it are to take more than one byte. */
async function certificate(notAfter: string, more: { name?: string; rsa?: boolean } = {}): Promise<string> {
  x509.cryptoProvider.set(webcrypto as never);
  const of =
    more.rsa === true
      ? {
          name: "RSASSA-PKCS1-v1_5",
          hash: "SHA-256",
          modulusLength: 2048,
          publicExponent: new Uint8Array([1, 0, 1]),
        }
      : algorithm;
  const keys = await webcrypto.subtle.generateKey(of, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${more.name ?? "main"}`,
    notBefore: new Date("2020-01-01T00:00:00Z"),
    notAfter: new Date(notAfter),
    signingAlgorithm: of,
    keys: keys as never,
  });
  return `${made.toString("pem")}\n`;
}

const secondsOf = (pem: string): number => Date.parse(new X509Certificate(pem).validTo) / 1000;

function byOpenssl(pem: string): number | undefined {
  const { status, stdout } = spawnSync("openssl", ["x509", "-noout", "-enddate"], {
    input: pem,
    encoding: "utf8",
  });
  return status === 0 ? Date.parse(stdout.trim().replace("notAfter=", "")) / 1000 : undefined;
}

type Seen = Record<string, number>;

describe("the script that says when certificates end", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "pgp-certificates-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs it until it has said something, with these files, in this shell; `root`: of a system of its own. */
  async function said(
    files: Readonly<Record<string, string | undefined>>,
    { shell = ["dash"], root = "" }: { shell?: string[]; root?: string } = {},
  ): Promise<Seen> {
    const at = root === "" ? folder : "/work";
    const here = root === "" ? folder : join(root, "work");
    mkdirSync(join(here, "state"), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(here, name), { recursive: true });
      if (text !== undefined) writeFileSync(join(here, name, "tls.crt"), text);
    }
    cpSync(script, join(here, "certificates.sh"));
    const child = spawn(shell[0] ?? "", [...shell.slice(1), join(at, "certificates.sh")], {
      env: {
        PATH: process.env.PATH,
        CERTIFICATES: Object.keys(files).join(" "),
        FOLDER: at,
        STATE: join(at, "state"),
        SECONDS_BETWEEN: "3600",
      },
      stdio: "ignore",
      // With what it has started: it sleeps between two looks.
      detached: true,
    });
    const file = join(here, "state/metrics.txt");
    try {
      while (!existsSync(file)) {
        assert.equal(child.exitCode, null, "it has ended");
        await delay(20);
      }
    } finally {
      process.kill(-(child.pid ?? 0));
    }
    const lines = readFileSync(file, "utf8").split("\n");
    for (const name of ["expiry_timestamp_seconds", "readable"])
      assert.equal(lines.filter((line) => line === `# TYPE pgplatform_certificate_${name} gauge`).length, 1);
    return Object.fromEntries(
      lines.flatMap((line) => {
        const [, metric, name, value] =
          /^pgplatform_certificate_(expiry|readable)\w*\{certificate="(\w+)"\} (\d+)$/.exec(line) ?? [];
        return metric === undefined ? [] : [[`${metric} ${name}`, Number(value)]];
      }),
    );
  }

  const moments = [
    "2026-12-31T23:59:59Z",
    "2028-02-29T12:00:00Z",
    "2049-12-31T23:59:59Z",
    // From 2050 on the field has another form.
    "2050-01-01T00:00:00Z",
    "2056-11-29T01:02:03Z",
    "2100-02-28T23:59:59Z",
    "2100-03-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2021-06-30T00:00:00Z",
  ];

  it("reads each form of time as node and openssl do, also one that has passed", async () => {
    const files = Object.fromEntries(
      await Promise.all(moments.map(async (when, at) => [`c${at}`, await certificate(when)] as const)),
    );
    const seen = await said(files);
    moments.forEach((when, at) => {
      const pem = files[`c${at}`] ?? "";
      assert.equal(seen[`expiry c${at}`], Date.parse(when) / 1000, when);
      assert.equal(seen[`expiry c${at}`], secondsOf(pem), when);
      assert.equal(byOpenssl(pem) ?? Date.parse(when) / 1000, Date.parse(when) / 1000, when);
      assert.equal(seen[`readable c${at}`], 1);
    });
  });

  it("finds its way past long names and large keys", async () => {
    const server = await certificate("2030-05-05T05:05:05Z", { name: "x".repeat(64), rsa: true });
    const ca = await certificate("2040-05-05T05:05:05Z", {
      name: Array.from({ length: 12 }, (_, at) => `${at}${"y".repeat(60)}`).join("+CN="),
    });
    assert.deepEqual(await said({ server, ca }), {
      "expiry server": secondsOf(server),
      "expiry ca": secondsOf(ca),
      "readable server": 1,
      "readable ca": 1,
    });
  });

  it("takes the one of a chain that ends first, wherever it stands, and text between them for nothing", async () => {
    const [long, short] = [
      await certificate("2040-01-01T00:00:00Z"),
      await certificate("2030-01-01T00:00:00Z"),
    ];
    const server = `Bag Attributes\n    friendlyName: main\n${long}${short}`;
    const ca = `${short.replaceAll("\n", "\r\n")}# the second one\n${long}`;
    const seen = await said({ server, ca });
    assert.equal(seen["expiry server"], secondsOf(short));
    assert.equal(seen["expiry ca"], secondsOf(short));
  });

  it("says that it couldn't read what is missing, empty, cut off or something else, and reads the rest", async () => {
    const good = await certificate("2030-01-01T00:00:00Z");
    const cut = good.split("\n").toSpliced(3, 4).join("\n");
    const key = good.replaceAll("CERTIFICATE", "PRIVATE KEY");
    const half = good.slice(0, good.length / 2);
    const seen = await said({
      good,
      missing: undefined,
      empty: "",
      cut,
      key,
      half,
      nonsense: "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
      // One that can be read beside one that can't says nothing of the chain.
      chain: `${good}${cut}`,
    });
    assert.equal(seen["expiry good"], secondsOf(good));
    const readable = Object.entries(seen).filter(
      ([name, value]) => name.startsWith("readable") && value === 1,
    );
    assert.deepEqual(readable, [["readable good", 1]]);
    assert.equal(Object.keys(seen).filter((name) => name.startsWith("expiry")).length, 1);
  });

  it("does so in the content of the image backup-tools (built here, with BusyBox)", async function () {
    this.timeout(120_000);
    const image = process.getuid?.() === 0 ? await builtImage("backupTools") : undefined;
    if (image === undefined) return this.skip();
    const root = join(folder, "root");
    mkdirSync(root);
    await run("sh", ["-c", 'tar -xOf "$1" "$2" | tar -x -C "$3"', "unpack", image.tar, image.layer, root]);
    mkdirSync(join(root, "dev"), { recursive: true });
    writeFileSync(join(root, "dev/null"), "");
    const files = Object.fromEntries(
      await Promise.all(moments.map(async (when, at) => [`c${at}`, await certificate(when)] as const)),
    );
    const chain = `${await certificate("2040-01-01T00:00:00Z", { rsa: true })}${files.c0}`;
    const seen = await said(
      { ...files, chain, half: chain.slice(0, 700) },
      { shell: ["chroot", root, "sh"], root },
    );
    moments.forEach((when, at) => assert.equal(seen[`expiry c${at}`], Date.parse(when) / 1000, when));
    assert.equal(seen["expiry chain"], Date.parse(moments[0] ?? "") / 1000);
    assert.equal(seen["readable half"], 0);
  });
});
