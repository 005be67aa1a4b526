import { type Rule, twice } from "./rule";

export const registries: Rule = ({ registries }, report) => {
  const doubled = twice(registries.map(({ server }) => server));
  registries.forEach(({ server }, index) => {
    if (doubled.has(server))
      report(`registries[${index}].server`, server, "a registry that is listed once", "remove one");
  });
};
