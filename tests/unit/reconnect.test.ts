import assert from "node:assert/strict";
import type { Kubectl } from "../../operations/kubectl";
import { reconnectPoolers } from "../../operations/reconnect";
import { changed, checked, smallest } from "../support/settings";

const settings = checked(
  changed(smallest(), "poolers", [
    { name: "app", database: "app" },
    { name: "jobs", database: "app" },
  ]),
);

/** A stand-in for kubectl: each pooler has a pod that is ready and one that isn't; it notes what runs where. */
function standIn() {
  const ran: string[] = [];
  const kubectl = {
    list: (_kind: string, _namespace: string, selector: string) => {
      const pooler = /main-pooler-(\w+)/.exec(selector)?.[1];
      return Promise.resolve(
        ["True", "False"].map((status, index) => ({
          metadata: { name: `${pooler}-${index}` },
          status: { conditions: [{ type: "Ready", status }] },
        })),
      );
    },
    run: (args: readonly string[]) => {
      ran.push(`${args[3]}: ${args.at(-1)}`);
      return Promise.resolve({ stdout: "", stderr: "", exitCode: 0 });
    },
  } as unknown as Kubectl;
  return { kubectl, ran };
}

describe("replacing the poolers' server connections", () => {
  it("asks every pod that is ready, of all poolers", async () => {
    const { kubectl, ran } = standIn();
    assert.equal(
      await reconnectPoolers({ kubectl, settings }),
      "Server connections are replaced as soon as their transactions end: app (1 of 2 pods), jobs (1 of 2 pods).",
    );
    assert.deepEqual(ran.sort(), ["app-0: RECONNECT", "jobs-0: RECONNECT"]);
  });

  it("asks one pooler's pods alone, and refuses a name that is none", async () => {
    const { kubectl, ran } = standIn();
    await reconnectPoolers({ kubectl, settings }, "jobs");
    assert.deepEqual(ran, ["jobs-0: RECONNECT"]);
    await assert.rejects(
      reconnectPoolers({ kubectl, settings }, "other"),
      /--pooler: "other" is not allowed\. Allowed: app, jobs\. Fix: name one, or leave it out for all\./,
    );
    await assert.rejects(reconnectPoolers({ kubectl, settings: checked(smallest()) }), /no pooler/);
  });
});
