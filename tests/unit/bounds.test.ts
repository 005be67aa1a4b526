import assert from "node:assert/strict";
import { sentences } from "../support/rich";
import { smallest } from "../support/settings";

const near = { name: "near", kind: "local" } as const;
const withBackup = (backup: object) => ({ ...smallest(), backup: { targets: [near], ...backup } });

/** Where the checks draw a line: what is just allowed, and what is just not, with its sentences. */
const bounds: { what: string; allowed: unknown; refused: unknown; sentences: string[] }[] = [
  {
    what: "a verification six hours before the copy that it waits for",
    allowed: withBackup({
      targets: [near, { ...near, name: "far" }],
      copy: { schedule: "0 3 * * *" },
      verify: { schedule: "0 21 * * 0" },
    }),
    refused: withBackup({
      targets: [near, { ...near, name: "far" }],
      copy: { schedule: "0 3 * * *" },
      verify: { schedule: "59 20 * * 0" },
    }),
    sentences: [
      'pgplatform:backup.verify.schedule: "59 20 * * 0" is not allowed. Allowed: at most 6 hours before the next copy, which it waits for (backup.copy.schedule is 0 3 * * *). Fix: verify shortly before the copy, or copy more often.',
    ],
  },
];

describe("on the last value that is allowed and the first that isn't:", () => {
  for (const { what, allowed, refused, sentences: expected } of bounds)
    it(what, () => {
      assert.deepEqual(sentences(allowed), []);
      assert.deepEqual(sentences(refused), expected);
    });
});
