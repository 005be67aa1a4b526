import { Previews } from "/work/h25a/tests/policy/kit/preview";
import { mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
(async () => {
  const previews = await Previews.make();
  try {
    const engine = process.argv[2] ?? "cnpg";
    const folder = mkdtempSync(join(tmpdir(), "render-"));
    const cluster = { name: "orders", namespace: "shop", engine, ...(engine === "standalone" ? { instances: 1, durability: "async" } : {}), storage: { class: "gp3", size: "20Gi" }, databases: [{ name: "app", owner: "app" }] };
    const config = { "guard:folder": folder, "pgplatform:platform": "cloud", "pgplatform:tier": "dev", "pgplatform:protection": { enabled: true }, "pgplatform:operator": { install: false }, "pgplatform:cluster": cluster };
    const pulumi = await previews.stack("/work/h25a/tests/policy/guard", config);
    const show = async (words: string[]) => { const t = Date.now(); const r = await pulumi(words); console.log("$", words.join(" "), r.exitCode, Date.now() - t, "ms\n", (r.stdout + r.stderr).slice(-6000)); return r; };
    await show(["up", "--yes", "--skip-preview", "--suppress-outputs"]);
    console.log(readdirSync(folder, { recursive: true }));
    await show(["config", "set", "guard:without", "platform"]);
    const r = await pulumi(["preview", "--json"]);
    const j = JSON.parse(r.stdout.slice(r.stdout.indexOf("{")));
    console.log(r.exitCode, j.steps?.map((s: any) => s.op + " " + s.urn.split("::").pop() + " " + s.oldState?.protect), j.diagnostics);
    await show(["config", "rm", "guard:without"]);
    await show(["config", "set", "--path", "pgplatform:cluster.namespace", "other"]);
    const r2 = await pulumi(["preview", "--json"]);
    const j2 = JSON.parse(r2.stdout.slice(r2.stdout.indexOf("{")));
    console.log(r2.exitCode, j2.steps?.map((s: any) => s.op + " " + s.urn.split("::").pop() + " " + s.oldState?.protect), j2.diagnostics);
    await show(["destroy", "--yes", "--skip-preview"]);
    console.log(readdirSync(folder, { recursive: true }));
  } finally { await previews.close(); }
})();
