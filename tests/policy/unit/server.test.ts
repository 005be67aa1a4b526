import assert from "node:assert/strict";
import * as proxy from "@pulumi/policy/proxy";
import * as server from "@pulumi/policy/server";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import * as struct from "google-protobuf/google/protobuf/struct_pb";
import type { KubernetesObject } from "../../../plan/objects";
import { invariants } from "../../../policy/invariants";
import { policiesOf } from "../../../policy/policies";
import { changed } from "../../support/settings";
import { good, goodStack, mutated } from "./kit";
import { postgresql } from "./objectsOfOthers";

/** The policies behind the functions of Pulumi's SDK that its engine calls; there is no engine. */

const unknown = (proxy as unknown as { unknownStringValue: string }).unknownStringValue;

type Rpc = (call: { request: object }, answer: (error: unknown, response?: object) => void) => Promise<void>;
type Make = (pack: string, version: string, level: string, policies: unknown) => Rpc;
const make = server as unknown as Record<
  "makeAnalyzeRpcFun" | "makeAnalyzeStackRpcFun" | "makeRemediateRpcFun",
  Make
>;

const called = <T>(rpc: Rpc, request: object): Promise<T> =>
  new Promise((resolve, reject) => {
    void rpc({ request }, (error, response) =>
      error
        ? reject(error instanceof Error ? error : new Error(JSON.stringify(error)))
        : resolve(response as T),
    );
  });

interface Request {
  setType(type: string): void;
  setName(name: string): void;
  setUrn(urn: string): void;
  setProperties(properties: object): void;
  setOptions(options: object): void;
}

function filled<T>(request: T, object: KubernetesObject, type?: string): T {
  const one = request as unknown as Request;
  one.setType(type ?? `kubernetes:${object.apiVersion}:${object.kind}`);
  const name = typeof object.metadata === "string" ? "unnamed" : object.metadata.name;
  one.setName(name);
  one.setUrn(`urn:${object.kind}:${name}`);
  one.setProperties(
    struct.Struct.fromJavaScript(object as unknown as Record<string, struct.JavaScriptValue>),
  );
  const options = new analyzer.AnalyzerResourceOptions();
  options.setCustomtimeouts(new analyzer.AnalyzerResourceOptions.CustomTimeouts());
  one.setOptions(options);
  return request;
}

interface Diagnostics {
  getDiagnosticsList(): { getPolicyname(): string; getMessage(): string }[];
  getNotApplicableList(): { getPolicyName?(): string }[];
}

const pack = (level?: string, config: Record<string, string> = {}) => {
  const policies = policiesOf({ config: () => config, today: () => "2026-01-31" });
  return level === undefined
    ? policies
    : policies.map((policy) => Object.assign(policy, { enforcementLevel: level }));
};

/** What a run over the objects says, by policy. */
async function said(objects: readonly KubernetesObject[]): Promise<Record<string, string[]>> {
  const policies = pack();
  const analyze = make.makeAnalyzeRpcFun("pack", "1", "mandatory", policies);
  const answers: Diagnostics[] = [];
  for (const object of objects)
    answers.push(await called<Diagnostics>(analyze, filled(new analyzer.AnalyzeRequest(), object)));
  const all = new analyzer.AnalyzeStackRequest();
  all.setResourcesList(objects.map((object) => filled(new analyzer.AnalyzerResource(), object)));
  const analyzeStack = make.makeAnalyzeStackRpcFun("pack", "1", "mandatory", policies);
  answers.push(await called<Diagnostics>(analyzeStack, all));
  const found: Record<string, string[]> = {};
  for (const one of answers.flatMap((answer) => answer.getDiagnosticsList()))
    (found[one.getPolicyname()] ??= []).push(one.getMessage().split("\n")[0]!);
  return found;
}

describe("the policies in Pulumi's SDK", () => {
  const bad = () => mutated("cluster", { "metadata.name": "bad", "spec.enablePDB": false });

  it("judge the rest where one object's metadata isn't known, by stack too", async () => {
    const without = await said([bad()]);
    assert.ok(without["base-backups"] && without["disruption-budget"] && without.alerts);
    const odd = ["ConfigMap", "Deployment", "Ingress"].map(
      (kind) => ({ apiVersion: "v1", kind, metadata: unknown }) as unknown as KubernetesObject,
    );
    for (const object of odd) {
      const found = await said([object, bad()]);
      for (const policy of ["base-backups", "disruption-budget", "alerts", "closed-network"])
        assert.deepEqual(found[policy], without[policy], `${object.kind}: ${policy}`);
    }
  });

  it("answer for resources of any properties", async () => {
    const analyze = make.makeAnalyzeRpcFun("pack", "1", "mandatory", pack());
    for (const spec of [
      null,
      7,
      "x",
      [],
      [null, [unknown]],
      { template: unknown, containers: [unknown, null, 3] },
    ])
      for (const kind of ["Cluster", "Pooler", "Deployment", "StatefulSet", "Service", "NetworkPolicy"]) {
        const object = { ...good("cluster"), kind, spec } as unknown as KubernetesObject;
        await called(analyze, filled(new analyzer.AnalyzeRequest(), object));
      }
  });

  it("say of a patch only what its fields say by themselves", async () => {
    const analyze = make.makeAnalyzeRpcFun("pack", "1", "mandatory", pack());
    const patch = {
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Cluster",
      metadata: { name: "orders", annotations: { password: "hunter2" } },
      spec: { instances: 1 },
    };
    const request = filled(
      new analyzer.AnalyzeRequest(),
      patch,
      "kubernetes:postgresql.cnpg.io/v1:ClusterPatch",
    );
    const answer = await called<Diagnostics>(analyze, request);
    assert.deepEqual(
      answer.getDiagnosticsList().map((one) => one.getPolicyname()),
      ["no-plain-credentials"],
    );
  });

  it("say that they aren't about what they aren't about", async () => {
    const analyze = make.makeAnalyzeRpcFun("pack", "1", "mandatory", pack());
    const request = filled(new analyzer.AnalyzeRequest(), good("application"));
    const answer = await called<Diagnostics>(analyze, request);
    const clusters = invariants.filter(({ on }) => ["cluster", "store", "schedule"].includes(on)).length;
    assert.equal(answer.getNotApplicableList().length, clusters);
  });

  it("say once for twenty clusters what isn't known yet", async () => {
    const clusters = Array.from({ length: 20 }, (_, index) =>
      mutated("cluster", { "metadata.name": `c${index}`, "spec.instances": unknown }),
    );
    const found = await said(clusters);
    assert.ok(found["judged-later"]!.length <= 2, found["judged-later"]!.join("\n"));
    assert.ok(
      !Object.values(found)
        .flat()
        .some((text) => text.startsWith("can't run")),
    );
  });

  it("have nothing to say about the good program, but that nothing protects its cluster", async () =>
    assert.deepEqual(Object.keys(await said(goodStack())), ["protected-cluster"]));
});

describe("fixes that Pulumi makes", () => {
  const remedied = async (
    object: KubernetesObject,
    { level = "remediate", type, waivers = [] }: { level?: string; type?: string; waivers?: object[] } = {},
  ): Promise<Record<string, unknown>> => {
    const config = { "pgplatform:waivers": JSON.stringify(waivers) };
    const remediate = make.makeRemediateRpcFun("pack", "1", "mandatory", pack(level, config));
    const answer = await called<{
      getRemediationsList(): { getPolicyname(): string; getProperties(): struct.Struct }[];
    }>(remediate, filled(new analyzer.AnalyzeRequest(), object, type));
    return Object.fromEntries(
      answer.getRemediationsList().map((one) => [one.getPolicyname(), one.getProperties().toJavaScript()]),
    );
  };
  const at = (object: unknown, path: string): unknown =>
    path
      .split(".")
      .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], object);

  for (const [policy, object, path, value] of [
    [
      "no-superuser-access",
      mutated("cluster", { "spec.enableSuperuserAccess": true }),
      "spec.enableSuperuserAccess",
      false,
    ],
    ["disruption-budget", mutated("cluster", { "spec.enablePDB": false }), "spec.enablePDB", undefined],
    [
      "durable-writes",
      mutated("cluster", { "spec.postgresql.parameters.fsync": "off" }),
      "spec.postgresql.parameters.fsync",
      undefined,
    ],
    [
      "no-preferred-quorum",
      mutated("cluster", { "spec.instances": 2, "spec.postgresql.synchronous.dataDurability": "preferred" }),
      "spec.postgresql.synchronous.failoverQuorum",
      false,
    ],
    [
      "failsafe-mode",
      changed(postgresql(), "spec.patroni.failsafe_mode", false),
      "spec.patroni.failsafe_mode",
      true,
    ],
    [
      "plain-checksums",
      mutated("archive", { "spec.instanceSidecarConfiguration": undefined }),
      "spec.instanceSidecarConfiguration.env.1.value",
      "when_required",
    ],
    [
      "no-encryption-header-at-r2",
      mutated("archive", { "spec.configuration.wal": { encryption: "AES256" } }),
      "spec.configuration.wal.encryption",
      undefined,
    ],
  ] as const)
    it(`are what ${policy} asks for, and nothing where it isn't asked to`, async () => {
      const found = await remedied(object);
      assert.deepEqual(Object.keys(found), [policy]);
      assert.equal(at(found[policy], path), value);
      assert.deepEqual(await remedied(object, { level: "mandatory" }), {});
    });

  it("leave what is right, and what isn't known, as it is", async () => {
    for (const name of ["cluster", "archive", "pooler", "application"])
      assert.deepEqual(await remedied(good(name)), {}, name);
    assert.deepEqual(await remedied(postgresql()), {});
    const object = mutated("cluster", { "spec.enablePDB": false, "spec.imageName": unknown });
    const { "disruption-budget": made } = await remedied(object);
    assert.equal(at(made, "spec.imageName"), unknown);
  });

  const undurable = () =>
    mutated("cluster", { "spec.postgresql.parameters.fsync": "off", "spec.enablePDB": false });
  it("leave what its policy has nothing against, or can't judge yet", async () => {
    for (const instances of [1, unknown])
      assert.deepEqual(
        await remedied(mutated("cluster", { "spec.enablePDB": false, "spec.instances": instances })),
        {},
      );
  });
  it("leave what a waiver lets pass, as long as it holds", async () => {
    const waiver = { resource: "Cluster shop/orders", reason: "a test", until: "2026-02-28", who: "Ada" };
    const fixed = async (change: object) =>
      Object.keys(
        await remedied(undurable(), { waivers: [{ policy: "durable-writes", ...waiver, ...change }] }),
      );
    assert.deepEqual(await fixed({}), ["disruption-budget"]);
    for (const change of [{ until: "2026-01-30" }, { resource: "Cluster shop/second" }])
      assert.deepEqual((await fixed(change)).sort(), ["disruption-budget", "durable-writes"]);
  });
  it("change no patch, no other API's object and no other provider's resource", async () => {
    assert.deepEqual(
      await remedied(undurable(), { type: "kubernetes:postgresql.cnpg.io/v1:ClusterPatch" }),
      {},
    );
    assert.deepEqual(await remedied({ ...undurable(), apiVersion: "example.com/v1" }), {});
    assert.deepEqual(await remedied(undurable(), { type: "foo:bar:Baz" }), {});
  });
  it("don't fail at fields of another form, which are their author's to correct", async () => {
    const path = "spec.instanceSidecarConfiguration";
    for (const value of ["x", 7, { env: "x" }, { env: { a: 1 } }])
      assert.deepEqual(await remedied(mutated("archive", { [path]: value })), {}, JSON.stringify(value));
    const { "plain-checksums": made } = await remedied(
      mutated("archive", { [`${path}.env`]: [null, { name: "A" }] }),
    );
    assert.deepEqual(
      (at(made, `${path}.env`) as ({ name: string } | null)[]).map((one) => one?.name),
      [undefined, "A", "AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"],
    );
    for (const change of [{ spec: "x" }, { spec: [null] }, { "spec.postgresql": ["fsync"] }])
      assert.deepEqual(await remedied(mutated("cluster", change)), {});
  });
  it("read secrets, and keep their mark", async () => {
    const secret = (value: unknown) => ({
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      value,
    });
    const object = mutated("cluster", {
      "spec.enablePDB": secret(false),
      "metadata.annotations": { note: secret("hidden") },
    });
    const { "disruption-budget": made } = await remedied(object);
    assert.equal(at(made, "spec.enablePDB"), undefined);
    assert.deepEqual(at(made, "metadata.annotations.note"), secret("hidden"));
  });
});
