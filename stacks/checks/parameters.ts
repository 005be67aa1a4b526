import type { Rule } from "./rule";

export const parameters: Rule = ({ cluster }, report, engine) => {
  for (const [name, value] of Object.entries(cluster.parameters)) {
    const owned = Object.entries(engine.ownedParameters).find(([key]) =>
      key.endsWith("*") ? name.startsWith(key.slice(0, -1)) : key === name,
    );
    if (owned) report(`cluster.parameters.${name}`, value, `no value here: ${owned[1]}`, "remove it");
  }
};
