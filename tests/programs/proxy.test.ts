import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kubectl } from "../../operations/kubectl";
import { ProxyKubectl } from "../../operations/proxy";

/** A stand-in for kubectl: `proxy` serves a few objects on the socket that it is given, everything else is written down. */
const server = `
const http = require("node:http"), fs = require("node:fs");
const args = process.argv.slice(2);
if (!args.includes("proxy")) { fs.appendFileSync(__dirname + "/calls", args.join(" ") + "\\n"); process.exit(0); }
const socket = args.find((one) => one.startsWith("--unix-socket=")).slice(14);
const objects = {
  "/readyz": "ok",
  "/api/v1/namespaces/n/pods/a": JSON.stringify({ kind: "Pod", metadata: { name: "a" } }),
  "/api/v1/namespaces/n/pods/a/log?container=c&sinceSeconds=600&tailLines=3": "one\\ntwo\\n",
  "/api/v1/namespaces/n/pods?labelSelector=x%3Dy": JSON.stringify({ items: [{ metadata: { name: "b" } }] }),
};
http.createServer((request, response) => {
  const text = objects[request.url];
  response.statusCode = text === undefined ? (request.url.includes("secrets") ? 403 : 404) : 200;
  response.end(text ?? JSON.stringify({ message: "secrets is forbidden" }));
}).listen(socket, () => console.log("Starting to serve on " + socket));
`;

describe("kubectl that stays, with a stand-in for kubectl", () => {
  let folder = "";
  let proxy: ProxyKubectl;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "pgp-proxy-"));
    writeFileSync(join(folder, "server.cjs"), server);
    writeFileSync(
      join(folder, "kubectl"),
      `#!/bin/sh\nexec "${process.execPath}" "${folder}/server.cjs" "$@"\n`,
    );
    chmodSync(join(folder, "kubectl"), 0o755);
    proxy = await ProxyKubectl.open(new Kubectl({ kubeconfig: undefined, context: "c" }, [folder]));
  });
  after(async () => {
    await proxy.close();
    rmSync(folder, { recursive: true });
  });

  it("reads objects, lists, and what isn't there", async () => {
    assert.equal(await proxy.isReady(5000), true);
    assert.equal((await proxy.get("pods", "n", "a"))?.metadata.name, "a");
    assert.equal(await proxy.get("pods", "n", "none"), undefined);
    assert.deepEqual(
      (await proxy.list("pods", "n", "x=y")).map(({ metadata }) => metadata.name),
      ["b"],
    );
  });

  it("reads what a container logged, which kubectl itself is asked for otherwise", async () => {
    const of = { sinceSeconds: 600, lines: 3 };
    assert.equal(await proxy.logsOf("n", "a", "c", of), "one\ntwo\n");
    await assert.rejects(proxy.logsOf("n", "b", "c", of), { message: /^what b logs: / });
    await new Kubectl({ kubeconfig: undefined, context: "c" }, [folder]).logsOf("n", "a", "c", of);
    const calls = join(folder, "calls");
    assert.equal(readFileSync(calls, "utf8"), "--context c -n n logs a -c c --since=600s --tail=3\n");
    rmSync(calls);
  });

  it("says why something may not be read", async () => {
    await assert.rejects(proxy.query("secrets", "n", {}), { message: "secrets: secrets is forbidden" });
  });

  it("gives everything else to kubectl, with the same flags", async () => {
    await proxy.run(["-n", "n", "delete", "pod", "a"]);
    assert.equal(readFileSync(join(folder, "calls"), "utf8"), "--context c -n n delete pod a\n");
    assert.deepEqual(proxy.flags, ["--context", "c"]);
  });

  it("leaves nothing behind, and fails at once where kubectl can't serve", async () => {
    const other = await ProxyKubectl.open(new Kubectl({ kubeconfig: undefined, context: "c" }, [folder]));
    const where = (other as unknown as { folder: string }).folder;
    assert.ok(existsSync(where));
    await other.close();
    assert.ok(!existsSync(where));
    const broken = mkdtempSync(join(tmpdir(), "pgp-broken-"));
    writeFileSync(join(broken, "kubectl"), "#!/bin/sh\necho 'error: no such context' >&2\nexit 1\n");
    chmodSync(join(broken, "kubectl"), 0o755);
    await assert.rejects(
      ProxyKubectl.open(new Kubectl({ kubeconfig: undefined, context: "c" }, [broken])),
      /kubectl proxy has ended/,
    );
    rmSync(broken, { recursive: true });
  });
});
