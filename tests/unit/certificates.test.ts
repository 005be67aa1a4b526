import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { EnginePlanner } from "../../plan/engines/planner";
import { planners } from "../../plan/engines/select";
import { issue, outdated } from "../../components/issuing";
import { platformGraph } from "../support/platform";
import { checked, smallest } from "../support/settings";

const days = (count: number): number => count * 24 * 3_600_000;

describe("certificates of the platform", () => {
  const names = ["main", "main.postgres.svc"];

  it("name every host, are signed by their CA and fit their key", async () => {
    const issued = await issue(names);
    const ca = new X509Certificate(issued.ca);
    const certificate = new X509Certificate(issued.certificate);
    assert.ok(ca.ca && ca.verify(ca.publicKey));
    assert.ok(certificate.verify(ca.publicKey) && certificate.checkIssued(ca));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(issued.privateKey)));
    assert.deepEqual(
      [...names, "main-ro"].map((name) => certificate.checkHost(name)),
      [...names, undefined],
    );
    assert.ok(!certificate.ca);
    const lasts = (one: X509Certificate) => Math.round((Date.parse(one.validTo) - Date.now()) / days(365));
    assert.deepEqual([lasts(certificate), lasts(ca)], [1, 20]);
  });

  it("are renewed under the same CA, by another key", async () => {
    const former = await issue(names);
    const renewed = await issue([...names, "main-pooler-app"], "server", former);
    assert.equal(renewed.ca, former.ca);
    assert.notEqual(renewed.privateKey, former.privateKey);
    const certificate = new X509Certificate(renewed.certificate);
    assert.ok(certificate.verify(new X509Certificate(former.ca).publicKey));
    assert.equal(certificate.checkHost("main-pooler-app"), "main-pooler-app");
  });

  it("are outdated by other names and by their last 60 days", async () => {
    const issued = await issue(names);
    const inDays = (count: number) => new Date(Date.now() + days(count));
    assert.equal(outdated(issued, names, inDays(0)), false);
    assert.equal(outdated(issued, ["main"], inDays(0)), true);
    assert.equal(outdated(issued, names, inDays(300)), false);
    assert.equal(outdated(issued, names, inDays(310)), true);
  });

  it("stand before the cluster, and the private key is a secret", async () => {
    const { operator, ...rest } = planners.cnpg;
    assert.ok(operator);
    const engine: EnginePlanner = {
      ...rest,
      plan: (settings) => {
        const plan = planners.cnpg.plan(settings);
        return { ...plan, tls: { ...plan.tls, issuer: "platform" } };
      },
    };
    const { resources, reads, outputs } = await platformGraph(checked(smallest()), [], { engine });
    assert.deepEqual(reads, {});
    assert.equal(outputs.caCertificate, "CA-of-main-certificates-issued");
    const found = (name: string) => resources.find((resource) => resource.name === name);
    assert.ok(found("main-cluster")?.dependsOn.includes("main-certificates"));
    const data = (name: string) => found(name)?.inputs.data;
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    assert.deepEqual(data("main-certificates-ca"), {
      secret: { "ca.crt": base64("CA-of-main-certificates-issued") },
    });
    assert.deepEqual(data("main-certificates-server"), {
      secret: {
        "tls.crt": base64("certificate-of-main-certificates-issued"),
        "tls.key": base64("key-of-main-certificates-issued"),
        "ca.crt": base64("CA-of-main-certificates-issued"),
      },
    });
  });
});
