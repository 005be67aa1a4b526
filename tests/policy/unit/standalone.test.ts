import assert from "node:assert/strict";
import type { KubernetesObject } from "../../../plan/objects";
import { planner as standalone } from "../../../plan/engines/standalone/planner";
import { allFlows } from "../../../plan/flows";
import { clusterLabel } from "../../../plan/names";
import { networkPolicies } from "../../../plan/networkPolicies";
import { poolerPlan } from "../../../plan/pooler/plan";
import { invariants, valuesOf } from "../../../policy/invariants";
import { problemsOfObject } from "../../../policy/policies";
import { stackFacts } from "../../../policy/stackFacts";
import { sentence } from "../../../settings/problem";
import { rawSettings } from "../../../stacks/program";
import { changed, checked, stackConfig } from "../../support/settings";
import { violationsOf, violationsInStack } from "./kit";

/** What the stack file of a standalone server renders with these poolers in front of it, network policies included. */
function ownObjects(poolers: readonly object[] = []): KubernetesObject[] {
  const settings = checked({ ...rawSettings(stackConfig("standalone")), poolers });
  const plan = standalone.plan(settings);
  const { name, namespace } = settings.cluster;
  const pools = settings.poolers.map((pooler) => poolerPlan(settings, pooler, plan));
  return [
    ...plan.objects,
    ...pools.flatMap(({ objects }) => objects),
    ...networkPolicies(name, namespace, allFlows(settings, plan, pools)),
  ].map(({ object }) => structuredClone(object));
}

const budgetWith = (most: string, objects: readonly KubernetesObject[]): string[] =>
  violationsInStack(
    "connection-budget",
    objects.map((object) =>
      object.kind === "StatefulSet" ? claiming("parameters.max_connections", most) : object,
    ),
  );

const server = (): KubernetesObject => ownObjects().find(({ kind }) => kind === "StatefulSet")!;

/** The StatefulSet with another claim about its configuration. */
function claiming(path: string, value: unknown): KubernetesObject {
  const object = server();
  const annotations = object.metadata.annotations!;
  const key = "pgplatform.io/server";
  annotations[key] = JSON.stringify(changed(JSON.parse(annotations[key]!) as object, path, value));
  return object;
}

describe("the policies about a standalone server", () => {
  it("have nothing mandatory in dev to say about the platform's own", () => {
    const objects = ownObjects();
    const found = invariants
      .filter(({ mandatory }) => mandatory === "everywhere")
      .flatMap((invariant) =>
        invariant.on === "stack"
          ? invariant.check(stackFacts(objects), valuesOf(invariant)).map(sentence)
          : objects.flatMap((object) => problemsOfObject(invariant, object, {}).map(sentence)),
      );
    assert.deepEqual(found, []);
  });

  it("say what one instance is not, and what a drain does to it", () => {
    const at = "StatefulSet alert-history/alert-history";
    assert.deepEqual(violationsOf("enough-instances", server()).length, 1);
    assert.deepEqual(violationsOf("single-instance-drain", server()), [
      `${at}: instances: 1 is not allowed. Allowed: 2 or more where nodes are drained: a drain stops the database until its pod runs elsewhere. Fix: add a standby, or plan the downtime.`,
    ]);
  });

  for (const [policy, path, value] of [
    ["encrypted-logins", "hostBasedAccess", ["local all all trust"]],
    ["encrypted-logins", "parameters.password_encryption", "md5"],
    ["encrypted-logins", "parameters.ssl_min_protocol_version", "TLSv1.1"],
    ["archive-timeout", "parameters.archive_timeout", "10min"],
    ["archive-timeout", "parameters.archive_timeout", undefined],
    ["shared-buffers", "parameters.shared_buffers", "1GB"],
  ] as const)
    it(`read its configuration: ${policy} refuses ${path} ${JSON.stringify(value)}`, () =>
      assert.equal(violationsOf(policy, claiming(path, value)).length, 1));

  it("read its pod: memory, resources, images, each once", () => {
    const at = "spec.template.spec.containers.0";
    assert.equal(
      violationsOf("guaranteed-memory", changed(server(), `${at}.resources.requests.memory`, "1Gi")).length,
      1,
    );
    assert.equal(
      violationsOf("container-resources", changed(server(), `${at}.resources.limits.cpu`, undefined)).length,
      1,
    );
    assert.deepEqual(violationsOf("supported-images", changed(server(), `${at}.image`, "postgres:latest")), [
      'StatefulSet alert-history/alert-history: containers[0].image: "postgres:latest" is not allowed. Allowed: a tag that isn\'t latest. Fix: name a released version.',
    ]);
  });

  it("count a pool once, though one Service is the primary's, the standbys' and every instance's", () => {
    const objects = ownObjects([
      { name: "app", database: "alert_history", serverConnections: 20, poolSize: 10 },
    ]);
    // 2 pods with 10 and 1 more, which looks logins up.
    assert.deepEqual(budgetWith("32", objects), []);
    assert.deepEqual(budgetWith("31", objects), [
      "Cluster alert-history/alert-history: max_connections: 31 is not allowed. Allowed: at least 32: 22 for the poolers (pool size × pods × roles) and 10 in reserve. Fix: raise it, or lower the pools.",
    ]);
  });

  it("want its network closed, and open for DNS alone, since nothing else is needed", () => {
    const objects = ownObjects();
    assert.deepEqual(violationsInStack("closed-network", objects), []);
    const without = objects.filter(
      ({ kind, metadata }) => kind !== "NetworkPolicy" || !metadata.name.endsWith("-everyone"),
    );
    assert.deepEqual(violationsInStack("closed-network", without), [
      'Cluster alert-history/alert-history: network for DNS: "closed" is not allowed. Allowed: open, egress on UDP port 53. Fix: add a NetworkPolicy for it.',
    ]);
    assert.deepEqual(server().metadata.labels, { [clusterLabel]: "alert-history" });
  });
});
