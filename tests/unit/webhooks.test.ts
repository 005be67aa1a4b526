import assert from "node:assert/strict";
import type { OperatorPlan } from "../../plan/plan";
import { type Subject } from "../../operations/health";
import { removeUnanswered } from "../../operations/webhooks";

describe("webhooks of an operator that isn't there", () => {
  const object = (kind: string, apiVersion: string) => ({
    id: kind,
    stage: 1,
    object: { apiVersion, kind, metadata: { name: "cnpg", namespace: "cnpg-system" } },
  });
  const operator = {
    objects: [
      object("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
      object("Service", "v1"),
      object("Deployment", "apps/v1"),
    ],
  } as unknown as OperatorPlan;

  /** What is deleted while the operator's Deployment is there or not. */
  async function deleted(deployment: boolean, install = true): Promise<string[][]> {
    const calls: string[][] = [];
    const kubectl = {
      get: () => Promise.resolve(deployment ? {} : undefined),
      run: (args: string[]) => {
        calls.push(args);
        return Promise.resolve({ exitCode: 0, stdout: "deleted", stderr: "" });
      },
    };
    const subject = { kubectl, settings: { operator: { install } } } as unknown as Subject;
    await removeUnanswered(subject, operator, { detail: () => undefined, say: () => undefined });
    return calls;
  }

  it("are deleted, so that the next update can make the operator", async () => {
    assert.deepEqual(await deleted(false), [
      [
        "delete",
        "MutatingWebhookConfiguration.v1.admissionregistration.k8s.io",
        "cnpg",
        "--ignore-not-found",
      ],
    ]);
  });

  it("stay while it is there, and where the stack doesn't install it", async () => {
    assert.deepEqual(await deleted(true), []);
    assert.deepEqual(await deleted(false, false), []);
  });
});
