import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packArguments } from "../../policy/arguments";
import type { RunResult } from "../../shell/process";
import { dayAt } from "../../settings/day";
import { type PreviewedStack, Previews, type Violation, violationsIn } from "./kit/preview";

/**
 * What is protected, through Pulumi's own engine: updates are made and their deletions too. Instead of a Kubernetes cluster there are files: the provider writes
 * each object as one (`renderYamlToDirectory`), and deletes it with the object. Instead of `--ignore-protect`, which this project's CLI doesn't have yet,
 * `pulumi state unprotect --all` takes every protection away first: that is more than the option does.
 */

type Engine = "cnpg" | "zalando" | "standalone";

/** The file of the cluster. */
const engines: Readonly<Record<Engine, string>> = {
  cnpg: "postgresql.cnpg.io_v1-cluster-shop-orders.yaml",
  zalando: "acid.zalan.do_v1-postgresql-shop-orders.yaml",
  standalone: "apps_v1-statefulset-shop-orders.yaml",
};

/** Settings of the cluster, whose name a test may change: another name is another object. */
const cluster = (engine: Engine, name = "orders") => ({
  "pgplatform:cluster": {
    name,
    namespace: "shop",
    engine,
    ...(engine === "standalone" && { instances: 1, durability: "async" }),
    storage: { class: "gp3", size: "20Gi" },
    databases: [{ name: "app", owner: "app" }],
  },
});
const protection = (enabled: boolean) => ({ "pgplatform:protection": { enabled } });
const without = { "guard:without": "platform" };
const program = join(__dirname, "guard");

const said = ({ stdout, stderr }: RunResult): string => stdout + stderr;
const ofPolicy = (result: RunResult, policy: string): Violation[] =>
  violationsIn(result.stdout).filter((one) => one.policy === policy);
const messages = (result: RunResult): string =>
  ofPolicy(result, "protected-data")
    .map(({ message }) => message)
    .join("\n");

describe("what is protected, in Pulumi's engine, with files in the place of a cluster", function () {
  let previews: Previews;
  let folder: string;
  before(async () => {
    previews = await Previews.make();
    folder = await mkdtemp(join(tmpdir(), "pgp-guard-"));
  });
  after(async () => {
    await previews?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A stack that is up, and where its files are. */
  async function made(
    name: string,
    engine: Engine,
    more: Record<string, unknown> = {},
  ): Promise<{ pulumi: PreviewedStack; there: (file: string) => boolean }> {
    const own = join(folder, name);
    mkdirSync(own);
    const pulumi = await previews.stack(program, {
      "guard:folder": own,
      "pgplatform:platform": "cloud",
      "pgplatform:tier": "dev",
      ...protection(true),
      "pgplatform:operator": { install: false },
      ...cluster(engine),
      ...more,
    });
    const up = await pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs"]);
    assert.equal(up.exitCode, 0, said(up));
    return { pulumi, there: (file) => existsSync(join(own, "1-manifest", file)) };
  }

  for (const [name, file] of Object.entries(engines) as [Engine, string][])
    describe(`with the engine ${name}`, function () {
      this.timeout(1_200_000);
      let pulumi: PreviewedStack;
      let there: (file: string) => boolean;
      before(async () => ({ pulumi, there } = await made(name, name)));

      it("passes as it is, with the pack", async () => {
        const result = await pulumi(["preview", "--expect-no-changes", ...packArguments]);
        assert.deepEqual([ofPolicy(result, "protected-data"), result.exitCode], [[], 0], said(result));
      });

      it("is neither replaced nor deleted by `pulumi up`, nor deleted by `pulumi destroy`", async () => {
        await pulumi.configure(cluster(name, "invoices"));
        const replacing = await pulumi(["up", "--yes", "--skip-preview"]);
        assert.notEqual(replacing.exitCode, 0);
        assert.match(said(replacing), /unable to replace resource [^]* marked for protection/);

        await pulumi.configure({ ...cluster(name), ...without });
        const deleting = await pulumi(["up", "--yes"]);
        assert.notEqual(deleting.exitCode, 0);
        assert.match(said(deleting), /cannot be deleted\s+because it is protected/);
        const destroying = await pulumi(["destroy", "--yes", "--skip-preview"]);
        assert.notEqual(destroying.exitCode, 0);
        assert.match(said(destroying), /cannot be deleted\s+because it is protected/);
        await pulumi.configure({ "guard:without": undefined });
        assert.ok(there(file));
        assert.ok(there("v1-namespace-default-shop.yaml"));
      });

      it("is refused by the policy too where it is unprotected, by name, whatever the program says of protection now", async () => {
        // What the former test has deleted of it that isn't protected.
        const again = await pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs"]);
        assert.equal(again.exitCode, 0, said(again));
        await pulumi.configure({ ...cluster(name, "invoices"), ...protection(false) });
        // No preview comes before this update. It ends at the first thing, which with standalone is a volume.
        const replacing = await pulumi(["up", "--yes", "--skip-preview", ...packArguments]);
        assert.notEqual(replacing.exitCode, 0);
        const first = name === "standalone" ? /volume shop\/orders-(data|archive)/ : /cluster shop\/orders/;
        assert.match(
          messages(replacing),
          new RegExp(
            `${first.source}: the update replaces it, since metadata\\.name changes\\. Allowed: by \`make up\``,
          ),
        );
        assert.ok(there(file));

        await pulumi.configure({ ...cluster(name), ...protection(true) });
        // The refused update has let go of what it had already looked at.
        const protecting = await pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs"]);
        assert.equal(protecting.exitCode, 0, said(protecting));

        const unprotected = await pulumi(["state", "unprotect", "--all", "--yes"]);
        assert.equal(unprotected.exitCode, 0, said(unprotected));
        await pulumi.configure(without);
        const deleting = await pulumi(["up", "--yes", ...packArguments]);
        assert.notEqual(deleting.exitCode, 0);
        const volumes =
          name === "standalone" ? ["volume shop/orders-data", "volume shop/orders-archive"] : [];
        for (const thing of ["cluster shop/orders", "namespace shop", ...volumes])
          assert.ok(messages(deleting).includes(`${thing}: the update deletes it.`), said(deleting));
        assert.ok(there(file));
      });

      it("stays where it is though it is unprotected and no policy is asked: the stack only lets go of it", async () => {
        const deleting = await pulumi(["up", "--yes", "--skip-preview"]);
        assert.equal(deleting.exitCode, 0, said(deleting));
        assert.ok(there(file));
        assert.ok(there("v1-namespace-default-shop.yaml"));
        if (name === "standalone") assert.ok(there("v1-persistentvolumeclaim-shop-orders-data.yaml"));
        assert.ok(!there("v1-secret-shop-orders-app.yaml"), "what isn't protected is deleted");
      });
    });

  it("is nothing in dev, where everything is deleted as before", async function () {
    this.timeout(600_000);
    const { pulumi, there } = await made("dev", "cnpg", { "pgplatform:protection": {} });
    await pulumi.configure(without);
    const deleting = await pulumi(["up", "--yes", ...packArguments]);
    assert.equal(deleting.exitCode, 0, said(deleting));
    assert.ok(!there(engines.cnpg));
    assert.ok(!there("v1-namespace-default-shop.yaml"));
  });

  it("are CA, archive, CRDs and buckets too, and `allow` is told, or refused where it has expired or names nothing", async function () {
    this.timeout(1_200_000);
    const target = {
      name: "near",
      kind: "r2",
      bucket: "fake-guard",
      account: "0123456789abcdef0123456789abcdef",
    };
    const { pulumi } = await made("more", "cnpg", {
      "pgplatform:operator": { install: true },
      "pgplatform:backup": { targets: [target] },
    });
    const state = JSON.parse((await pulumi(["stack", "export"])).stdout) as {
      deployment: { resources: { urn: string; protect?: boolean }[] };
    };
    const held = state.deployment.resources
      .filter(({ protect }) => protect === true)
      .map(({ urn }) => urn.split("::").at(-1));
    for (const one of [
      "main-certificates-issued",
      "main-backup-archive-id",
      "main-cluster-cluster",
      "main-namespace",
    ])
      assert.ok(held.includes(one), one);
    assert.ok(held.some((one) => one?.startsWith("main-operator-crd-")));
    assert.ok(
      state.deployment.resources.some(
        ({ urn, protect }) => protect === true && urn.includes("cloudflare:index/r2Bucket:R2Bucket"),
      ),
    );

    const until = dayAt(new Date(Date.now() + 86_400_000));
    const allow = async (list: object[]) => {
      await pulumi.configure({ "pgplatform:allow": list });
      return pulumi(["preview", ...packArguments]);
    };
    const good = await allow([{ what: "cluster shop/orders", until }]);
    assert.equal(good.exitCode, 0, said(good));
    assert.match(
      said(good),
      new RegExp(`pgplatform:allow: cluster shop/orders may be deleted or replaced until ${until}`),
    );
    const wrong = await allow([
      { what: "cluster shop/order", until },
      { what: "cluster shop/orders", until: "2020-01-01" },
    ]);
    assert.notEqual(wrong.exitCode, 0);
    assert.match(
      messages(wrong),
      /pgplatform:allow\[0\]\.what: "cluster shop\/order" is not allowed\. Allowed: archive main-backup-archive-id, bucket fake-guard, ca main-certificates-issued, cluster shop\/orders, crd /,
    );
    assert.match(
      messages(wrong),
      /pgplatform:allow\[1\]\.until: "2020-01-01" is not allowed\. Allowed: today \(/,
    );

    // Named or not: only `make up` reads the age of a backup.
    await pulumi.configure({ "pgplatform:allow": [{ what: "cluster shop/orders", until }] });
    await pulumi(["state", "unprotect", "--all", "--yes"]);
    await pulumi.configure(without);
    assert.match(
      messages(await pulumi(["preview", ...packArguments])),
      /cluster shop\/orders: the update deletes it/,
    );
    assert.ok(readdirSync(join(folder, "more", "0-crd")).length > 0);
  });
});
