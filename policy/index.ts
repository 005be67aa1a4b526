import { PolicyPack, type PolicyPackConfig } from "@pulumi/policy";
import { today } from "../settings/day";
import { levelsOf } from "./levels";
import { policiesOf } from "./policies";
import { deserializeOnce } from "./once";
import { listen, packConfig, stackConfig, stackState } from "./stackConfig";

listen();
deserializeOnce();

/** The levels of the stack that is judged, which the pack learns after it is made. */
const levels: PolicyPackConfig = {};
for (const name of Object.keys(levelsOf({})))
  Object.defineProperty(levels, name, { enumerable: true, get: () => levelsOf(stackConfig())[name] });

const policies = policiesOf({
  config: stackConfig,
  today,
  state: stackState,
  given: packConfig,
});

// Making the pack starts its server: nothing else may import this file.
new PolicyPack("postgres-platform", { policies, enforcementLevel: "mandatory" }, levels);
