import assert from "node:assert/strict";
import { issue } from "../../components/issuing";
import { type CertificateFacts, certificateFactsOf, type TlsFacts } from "../../operations/tlsFacts";
import { certificates, faultOf } from "../../operations/tlsRule";
import type { Planned } from "../../operations/verdict";
import { check, sentence } from "../../checks/index";
import { plannerOf } from "../../plan/engines/select";
import { planPlatform } from "../../plan/platform";
import { serviceHost } from "../../plan/names";
import type { Settings, SettingsInput } from "../../settings/schema";
import type { Issuer } from "../../settings/schema/tls";
import { changed, checked, smallest } from "../support/settings";

/** That servers and poolers show such a certificate, and load another one, is shown by tests/e2e/tls.test.ts. */

const engines = ["cnpg", "zalando", "standalone"] as const;
type Engine = (typeof engines)[number];
const given: Readonly<Partial<Record<Issuer, object>>> = {
  "cert-manager": { issuer: "cert-manager", issuerRef: { name: "internal-ca", kind: "ClusterIssuer" } },
  provided: { issuer: "provided", secretName: "shop-certificate" },
};

const inputOf = (engine: Engine, tls: object): SettingsInput => {
  const input = {
    ...smallest(),
    poolers: [{ name: "app", database: "app" }],
    monitoring: { prometheus: "annotations", namespace: "monitoring" },
    operator: { install: false },
    backup: { targets: [{ name: "near", kind: "local" }] },
    tls,
  } as SettingsInput;
  const of = changed(input, "cluster.engine", engine);
  if (engine !== "standalone") return of;
  return changed(changed(of, "cluster.instances", 1), "cluster.durability", "async");
};
const said = (engine: Engine, tls: object): string[] => {
  const result = check(inputOf(engine, tls));
  return "problems" in result ? result.problems.map(sentence) : [];
};

describe("who signs the servers' certificate", () => {
  it("is the engine where it can, else the platform", () =>
    assert.deepEqual(
      engines.map((engine) => checked(inputOf(engine, {})).tls.issuer),
      ["engine", "platform", "platform"],
    ));

  it("is refused where the engine can't have it so, and what belongs to another issuer", () => {
    assert.deepEqual(said("zalando", { issuer: "engine" }), [
      'pgplatform:tls.issuer: "engine" is not allowed. Allowed: one of platform, cert-manager, provided with the engine zalando. Fix: choose one of them, or leave it out.',
    ]);
    assert.match(
      said("cnpg", { issuer: "platform" }).join(),
      /one of engine, cert-manager, provided with the engine cnpg/,
    );
    assert.deepEqual(said("cnpg", { issuer: "cert-manager" }), [
      "pgplatform:tls.issuerRef: not set. Allowed: name and kind of an issuer with the issuer cert-manager. Fix: set it.",
    ]);
    assert.match(
      said("standalone", { issuer: "provided" }).join(),
      /tls\.secretName: not set\. Allowed: the name of a Secret/,
    );
    assert.match(
      said("cnpg", { secretName: "mine" }).join(),
      /tls\.secretName: must not be set with the issuer engine \("mine"\)\. Fix: leave it out, or set tls\.issuer to provided\./,
    );
    assert.match(
      said("zalando", { caSecretName: "mine" }).join(),
      /tls\.caSecretName: .* set tls\.issuer to cert-manager or provided/,
    );
    assert.match(
      said("cnpg", { issuer: "provided", secretName: "main-server" }).join(),
      /tls\.secretName: "main-server" .* neither the engine nor the stack writes to/,
    );
    assert.match(
      said("cnpg", { issuer: "lets-encrypt" }).join(),
      /tls\.issuer: "lets-encrypt" is not allowed\. Allowed: engine, platform, cert-manager, provided/,
    );
  });

  for (const engine of engines)
    for (const [issuer, tls] of Object.entries(given))
      it(`${issuer}, with ${engine}: nothing looks for another Secret, and every Service's name is asked for`, () => {
        const settings = checked(inputOf(engine, tls));
        const plan = planPlatform(settings, () => [], plannerOf(settings));
        const { server, ca, names } = plan.cluster.tls;
        const secret = issuer === "provided" ? "shop-certificate" : "main-tls";
        assert.deepEqual([server.secretName, ca], [secret, { secretName: secret, key: "ca.crt" }]);
        assert.equal(plan.certificates, undefined);
        const text = JSON.stringify([
          plan.cluster.objects,
          plan.poolers,
          plan.metrics,
          plan.backups,
          plan.logins,
          plan.reloader,
        ]);
        for (const other of ["main-ca", "main-server"]) assert.ok(!text.includes(`"${other}"`), other);
        const { primary, standbys, any } = plan.cluster.endpoints;
        for (const { host } of [primary, standbys, any, ...plan.poolers.map(({ endpoint }) => endpoint)])
          assert.ok(names.includes(host), host);
        assert.ok(names.includes(serviceHost("main-pooler-app", settings.cluster.namespace)));
        const [request, ...more] = plan.certificateRequest ?? [];
        assert.deepEqual(more, []);
        if (issuer === "provided") return assert.equal(request, undefined);
        const { spec } = request?.object as { spec?: Record<string, unknown> };
        assert.deepEqual(
          [spec?.secretName, spec?.dnsNames, spec?.issuerRef],
          ["main-tls", names, { name: "internal-ca", kind: "ClusterIssuer", group: "cert-manager.io" }],
        );
      });

  it("has what is trusted in a Secret of its own, for a change of the CA", () => {
    const settings = checked(inputOf("cnpg", { ...given.provided, caSecretName: "bundle" }));
    const plan = planPlatform(settings, () => [], plannerOf(settings));
    const text = JSON.stringify(plan.poolers);
    assert.match(text, /"secretName":"bundle","items":\[\{"key":"ca\.crt"/);
    assert.match(
      JSON.stringify(plan.cluster.objects[0]?.object),
      /"serverTLSSecret":"shop-certificate","serverCASecret":"bundle"/,
    );
  });
});

describe("the preflight of a certificate that another signs", () => {
  const names = ["main-rw", "main-rw.postgres.svc"];
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  let good: CertificateFacts;
  let other: Awaited<ReturnType<typeof issue>>;
  let one: Awaited<ReturnType<typeof issue>>;
  const facts = (data: Record<string, string>, labels = { "cnpg.io/reload": "true" }): CertificateFacts =>
    certificateFactsOf({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "shop-certificate", labels },
      data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
    });
  before(async () => {
    [one, other] = await Promise.all([issue(names), issue(names)]);
    good = facts({ "tls.crt": one.certificate, "tls.key": one.privateKey, "ca.crt": one.ca });
  });
  const now = new Date();
  const years = (count: number) => new Date(now.getTime() + count * 365.25 * 86_400_000);

  it("finds nothing in a good one, nor in one that trusts a CA more", () => {
    assert.equal(faultOf(good, names, now), undefined);
    assert.equal(faultOf({ ...good, ca: `${other.ca}\n${one.ca}` }, names, now), undefined);
  });

  it("says the first thing that is wrong", () => {
    const fault = (change: Partial<CertificateFacts>, wanted = names, at = now) =>
      faultOf({ ...good, ...change }, wanted, at);
    assert.equal(facts({ "tls.crt": one.certificate }).missing.join(), "tls.key,ca.crt");
    assert.equal(fault({ missing: ["tls.key"] }), "tls.key is missing or empty");
    const broken = facts({ "tls.crt": "hunter2", "tls.key": one.privateKey, "ca.crt": one.ca });
    assert.match(faultOf(broken, names, now) ?? "", /^its contents can't be read: /);
    assert.doesNotMatch(faultOf(broken, names, now) ?? "", /hunter2/);
    const mixed = facts({ "tls.crt": one.certificate, "tls.key": other.privateKey, "ca.crt": one.ca });
    assert.equal(faultOf(mixed, names, now), "tls.key isn't the key of tls.crt");
    assert.match(fault({}, names, years(2)) ?? "", /^the certificate ended on /);
    assert.match(fault({}, names, years(-2)) ?? "", /^the certificate begins on /);
    assert.equal(
      fault({}, [...names, "main-pooler-app.postgres.svc"]),
      "it lacks the names main-pooler-app.postgres.svc",
    );
    assert.equal(fault({ ca: other.ca }), "ca.crt has no CA that signed it");
  });

  const verdict = (
    tls: object,
    live: TlsFacts | undefined,
    namespaces: string[] = ["postgres"],
    engine: Engine = "cnpg",
  ) => {
    const settings: Settings = checked(inputOf(engine, tls));
    const { problems = [], warnings = [] } = certificates(
      { settings, tlsNames: names } as unknown as Planned,
      { tls: live, namespaces } as unknown as Parameters<typeof certificates>[1],
    );
    return [...problems.map(sentence), ...warnings];
  };

  it("wants the namespace first, where the Secret or the issuer is in it", () => {
    assert.match(
      verdict(given.provided ?? {}, {}, []).join(),
      /cluster\.namespace: "postgres" is not allowed\. Allowed: a namespace that is there, since tls\.issuer is provided and its Secret comes first/,
    );
    assert.deepEqual(verdict(given["cert-manager"] ?? {}, { served: true, issuer: "ready" }, []), []);
  });

  it("names the Secret, its keys and the names where it is missing, and tells of a label that CloudNativePG needs", () => {
    assert.match(
      verdict(given.provided ?? {}, {}).join(),
      /tls\.secretName: "shop-certificate" is not allowed\. Allowed: a Secret of the namespace postgres with tls\.crt, tls\.key and ca\.crt, for the names main-rw, main-rw\.postgres\.svc; it is missing\./,
    );
    assert.deepEqual(verdict(given.provided ?? {}, { certificate: good }), []);
    const unlabelled = { certificate: { ...good, reloads: false } };
    assert.match(verdict(given.provided ?? {}, unlabelled).join(), /has no label cnpg\.io\/reload/);
    assert.deepEqual(verdict(given.provided ?? {}, unlabelled, ["postgres"], "zalando"), []);
  });

  it("wants cert-manager and an issuer that is ready", () => {
    const asked = given["cert-manager"] ?? {};
    assert.match(
      verdict(asked, { served: false }).join(),
      /tls\.issuer: .* cert-manager doesn't serve certificates\.cert-manager\.io\/v1/,
    );
    assert.match(
      verdict(asked, { served: true, issuer: "missing" }).join(),
      /tls\.issuerRef\.name: "internal-ca" .* a ClusterIssuer that is there and ready; it is missing/,
    );
    assert.match(verdict(asked, { served: true, issuer: "not ready" }).join(), /it is not ready/);
    assert.match(
      verdict({ ...asked, caSecretName: "bundle" }, { served: true, issuer: "ready", trusted: false }).join(),
      /tls\.caSecretName: "bundle" .* it is missing or empty/,
    );
  });
});
