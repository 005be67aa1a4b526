import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { tlsNames } from "../../plan/names";
import { clusterPlan } from "../../plan/platform";
import type { SettingsInput } from "../../settings/schema";
import { engines, type Engine } from "../support/collected";
import { shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { bucket, checked, smallest } from "../support/settings";

/** Two objects of one name would be one object in Kubernetes: whichever is written last. */

/** As many parts of a stack at once as go together. */
const stack = (engine: Engine, prometheus: "operator" | "annotations" | "install"): SettingsInput => ({
  ...smallest(),
  cluster: {
    ...smallest().cluster,
    engine,
    maxConnections: 200,
    resources: { limits: { memory: "1Gi" } },
    ...(engine === "standalone" && { instances: 1, durability: "async" as const }),
    roles: [{ name: "reader" }],
  },
  poolers: [
    { name: "app", database: "app", autoscaling: { maxInstances: 4 } },
    { name: "reads", database: "app", reads: engine === "standalone" ? "primary" : "standbys" },
  ],
  clients: [
    { name: "shop", namespace: "shop", labels: { app: "shop" }, pooler: "app" },
    { name: "reports", namespace: "shop", labels: { app: "reports" }, direct: true },
  ],
  registries: [{ server: "registry.example.com", username: "puller", password: "hunter2" }],
  backup: {
    targets: [{ name: "near", kind: "local" }, bucket()],
    verify: { queries: [{ name: "rows", sql: "select true" }] },
  },
  monitoring: {
    prometheus,
    ...(prometheus !== "install" && { namespace: "monitoring" }),
    queries: [
      {
        name: "sales",
        databases: ["app"],
        sql: "SELECT count(*) AS orders_total FROM sales",
        tables: ["sales"],
        values: [{ name: "orders_total", type: "counter", unit: "count", help: "orders" }],
      },
    ],
  },
});

interface Named {
  apiVersion?: string;
  kind?: string;
  metadata?: { namespace?: string; name?: string };
}

describe("every object of a stack has a name of its own", () => {
  for (const engine of engines)
    for (const prometheus of ["operator", "annotations", "install"] as const)
      it(`with ${engine} and monitoring.prometheus: ${prometheus}`, async () => {
        const graph = await platformGraph(checked(stack(engine, prometheus)), await shortObjects(engine));
        const found = graph.resources
          .filter(({ type }) => type.startsWith("kubernetes:"))
          .map(({ type, inputs }) => {
            const { metadata } = inputs as Named;
            return metadata?.name && `${type} ${metadata.namespace ?? ""}/${metadata.name}`;
          })
          .filter((one) => one !== undefined);
        assert.ok(found.length > 30, "the stack's objects are seen");
        assert.deepEqual(
          found.filter((one, at) => found.indexOf(one) !== at),
          [],
        );
      });
});

/** Where PostgreSQL is asked over the network: a URL's host, or libpq's `host=`; sockets begin with a slash. */
const asked = (text: string): string[] =>
  [
    ...text.matchAll(/\b([a-z0-9-]+(?:\.[a-z0-9.-]+)?):5432\/\w/g),
    ...text.matchAll(/(?<![-\w])host=([a-z0-9-]+(?:\.[a-z0-9.-]+)?)/g),
  ].map(([, host = ""]) => host);

describe("every server that is asked is verified by a name that its certificate has", () => {
  for (const engine of engines)
    it(`with ${engine}`, async () => {
      const settings = checked(stack(engine, "operator"));
      const graph = await platformGraph(settings, await shortObjects(engine));
      const objects = graph.resources.filter(({ type }) => type.startsWith("kubernetes:"));
      const text = JSON.stringify(objects.map(({ inputs }) => inputs));
      assert.deepEqual(
        [...text.matchAll(/(?<!client_tls_)sslmode[=:"' ]+(require|verify-ca|prefer|allow)\b/g)].map(
          ([found]) => found,
        ),
        [],
      );
      const planned = clusterPlan(settings, planners[engine]);
      const { tls } = planned;
      const names =
        tls.issuer === "platform"
          ? tls.names
          : Object.values(planned.endpoints).flatMap(({ service }) => tlsNames(service, "postgres"));
      const hosts = [...new Set(asked(text))].filter((host) => !host.includes("{"));
      assert.ok(hosts.length > 0, "it is seen where servers are asked");
      assert.deepEqual(
        hosts.filter((host) => !names.includes(host) && !["localhost", "main-pooler-app"].includes(host)),
        [],
      );
    });
});
