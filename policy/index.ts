import { PolicyPack, type PolicyPackConfig } from "@pulumi/policy";
import { levelsOf } from "./levels";
import { policies } from "./policies";
import { listen, stackConfig } from "./stackConfig";

listen();

/** The levels of the stack that is judged, which the pack learns after it is made. */
const levels = new Proxy<PolicyPackConfig>(
  {},
  {
    ownKeys: () => Object.keys(levelsOf(stackConfig())),
    get: (_, name) => levelsOf(stackConfig())[String(name)],
    getOwnPropertyDescriptor: (_, name) => ({
      value: levelsOf(stackConfig())[String(name)],
      enumerable: true,
      configurable: true,
    }),
  },
);

// Making the pack starts its server: nothing else may import this file.
new PolicyPack("postgres-platform", { policies, enforcementLevel: "mandatory" }, levels);
