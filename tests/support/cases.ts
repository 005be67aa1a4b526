import assert from "node:assert/strict";
import { sentences } from "./rich";
import { changed, smallest } from "./settings";

/** Settings in a cloud, as small as a case allows. */
export const cloud = (cluster: object = {}, rest: object = {}) => ({
  platform: "cloud",
  cluster: {
    name: "main",
    namespace: "db",
    storage: { class: "gp3", size: "20Gi" },
    databases: [{ name: "app", owner: "app" }],
    ...cluster,
  },
  ...rest,
});

/** What is said of the smallest settings with one changed. */
export const with1 = (path: string, value: unknown) => sentences(changed(smallest(), path, value));

/** Exactly one sentence, which matches. */
export function refused(problems: readonly string[], expected: RegExp): void {
  assert.equal(problems.length, 1, problems.join("\n"));
  assert.match(problems[0]!, expected);
}
