import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { rawSettings } from "../../stacks/program";
import type { Settings } from "../../settings/schema";
import { checked, stackConfig } from "../support/settings";

/** What each stack is for, in a few numbers. */
const intents: Record<string, string> = {
  local: "main: cnpg, PostgreSQL 17, 3 × 2Gi on local-path, zero-loss, 100 connections, poolers app × 2",
  cnpg: "postgres-cluster: cnpg, PostgreSQL 16, 3 × 50Gi on nfs-postgres-v2, zero-loss, 200 connections, poolers rw × 3, keycloak × 2, n8n × 2",
  dev: "jewelry-shop-db: zalando, PostgreSQL 15, 3 × 100Gi on local-path, zero-loss, 200 connections, poolers app × 2",
  prod: "jewelry-shop-db: zalando, PostgreSQL 15, 3 × 100Gi on longhorn, zero-loss, 200 connections, poolers app × 2",
  standalone:
    "alert-history: standalone, PostgreSQL 16, 1 × 20Gi on standard, async, 250 connections, poolers none",
};

const intentOf = ({ cluster, poolers }: Settings): string =>
  [
    `${cluster.name}: ${cluster.engine}`,
    `PostgreSQL ${cluster.postgresVersion}`,
    `${cluster.instances} × ${cluster.storage.size} on ${cluster.storage.class ?? "nothing"}`,
    cluster.durability,
    `${cluster.maxConnections} connections`,
    `poolers ${poolers.map(({ name, instances }) => `${name} × ${instances}`).join(", ") || "none"}`,
  ].join(", ");

describe("the stack files", () => {
  it("are these", () => {
    const files = readdirSync(join(__dirname, "..", "..")).flatMap(
      (file) => /^Pulumi\.(\w+)\.yaml$/.exec(file)?.[1] ?? [],
    );
    assert.deepEqual(files.sort(), Object.keys(intents).sort());
  });

  for (const [stack, intent] of Object.entries(intents))
    it(`${stack} passes the settings check and is what it is for`, () => {
      assert.equal(intentOf(checked(rawSettings(stackConfig(stack)))), intent);
    });
});
