import { make, type Made } from "./make";

/** What the first `make up` of the session said. */
let first: Made | undefined;

export function firstUp(): Made {
  if (first === undefined) throw new Error("`make up` has not run");
  return first;
}

/** Loaded by mocha before all tests. A `make up` that fails ends the whole session: nothing else would mean anything. */
export const mochaHooks = {
  async beforeAll(this: Mocha.Context): Promise<void> {
    this.timeout(60 * 60_000);
    first = await make("up");
    if (first.exitCode !== 0) throw new Error(`\`make up\` failed with exit code ${first.exitCode}`);
  },
};
