import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "../../shell/process";

/** When the watchdog deletes the primary's pod, out of what its program decides; what the servers say is made up here. On a cluster: faults 9 and 35 with a watchdog. */

const folder = join(__dirname, "../../plan/engines/cnpg");

interface Seen {
  readonly answered?: number;
  readonly silent?: boolean;
  readonly standby?: boolean | null;
  readonly receives?: boolean | null;
  readonly synchronous?: boolean | null;
}

interface Scene {
  readonly primary?: string;
  /** How long ago the API server answered, in seconds. */
  readonly api?: number;
  readonly pods?: readonly string[];
  readonly seen?: Readonly<Record<string, Seen>>;
  readonly sinceAct?: number;
  readonly required?: boolean;
}

const hung: Seen = { answered: 990, silent: true, synchronous: true };
const waits: Seen = { standby: true, receives: false };
const away: Seen = { answered: 980, silent: true };

/** Three instances, whose primary answers nothing any more: what the scene changes of that. */
const of = ({ seen, ...rest }: Scene) => ({
  primary: "main-1",
  api: 1,
  pods: ["main-1", "main-2", "main-3"],
  sinceAct: 3600,
  required: false,
  ...rest,
  seen: { "main-1": hung, "main-2": waits, "main-3": waits, ...seen },
});

const PROGRAM = `
import json, sys
from watchdog import Cluster, Scene, Seen, reason_not_to
def why(one):
    cluster = Cluster(one["primary"], {name: ("", "") for name in one["pods"]}, 1000 - one["api"])
    seen = {name: Seen(**{"answered": 1000, **what}) for name, what in one["seen"].items()}
    return reason_not_to(Scene(1000, cluster, seen, one["sinceAct"], 8, one["required"]))
print(json.dumps([why(one) for one in json.load(sys.stdin)]))
`;

const cases: readonly (readonly [what: string, scene: Scene, why: string | null])[] = [
  ["that of a primary that answers nothing", {}, null],
  ["that of one with a standby that is gone, too", { seen: { "main-3": away } }, null],
  ["that of one whose other standby starts", { seen: { "main-3": { standby: null } } }, null],
  [
    "a primary that answers, were it that it refuses",
    { seen: { "main-1": { answered: 1000, synchronous: null } } },
    "the primary answers",
  ],
  [
    "one that has been silent for less than that",
    { seen: { "main-1": { ...hung, answered: 993 } } },
    "silent for 7 of 8 s",
  ],
  ["an API server that stalls", { api: 4 }, "the API server does not answer"],
  ["a pod on its way out", { pods: ["main-2", "main-3"] }, "its pod is on its way out"],
  ["a primary that isn't known yet", { primary: "" }, "no primary is known"],
  [
    "a primary that committed alone",
    { seen: { "main-1": { ...hung, synchronous: false } } },
    "it waited for no standby when it last answered: a commit may be nowhere else",
  ],
  [
    "one that never answered where commits may be its own",
    { seen: { "main-1": { ...hung, synchronous: null } } },
    "it waited for no standby when it last answered: a commit may be nowhere else",
  ],
  [
    "that of one that never answered where they can't be",
    { required: true, seen: { "main-1": { ...hung, synchronous: null } } },
    null,
  ],
  ["a watchdog that is cut off itself", { seen: { "main-2": away, "main-3": away } }, "no standby answers"],
  [
    "a way to the primary that the watchdog alone lacks",
    { seen: { "main-3": { standby: true, receives: true } } },
    "a standby still receives WAL from it",
  ],
  ["another that leads", { seen: { "main-3": { standby: false } } }, "another instance leads"],
  ["a second time within the minute", { sinceAct: 59 }, "the last time was less than a minute ago"],
];

describe("the watchdog of a primary", () => {
  let whys: (string | null)[];
  before(async () => {
    const input = JSON.stringify(cases.map(([, scene]) => of(scene)));
    const { stdout } = await run("python3", ["-B", "-c", PROGRAM], { input, env: { PYTHONPATH: folder } });
    whys = JSON.parse(stdout) as (string | null)[];
  });

  cases.forEach(([what, , why], index) =>
    it(`${why === null ? "deletes the pod," : "leaves alone"} ${what}`, () => assert.equal(whys[index], why)),
  );
});
