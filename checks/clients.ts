import { type Rule, twice } from "./rule";

export const clients: Rule = ({ clients, poolers }, report) => {
  const doubled = twice(clients.map(({ name }) => name));
  const known = poolers.map(({ name }) => name);
  clients.forEach((client, index) => {
    if (doubled.has(client.name))
      report(`clients[${index}].name`, client.name, "a name that no other client has", "rename it");
    if (client.pooler === undefined && !client.direct)
      report(
        `clients[${index}].pooler`,
        undefined,
        "the name of a pooler, unless direct is true",
        "name the pooler that the client uses, or set direct to true",
      );
    if (client.pooler !== undefined && !known.includes(client.pooler))
      report(
        `clients[${index}].pooler`,
        client.pooler,
        known.length === 0
          ? "must not be set: pgplatform:poolers is empty"
          : `one of pgplatform:poolers (${known.join(", ")})`,
        "correct it, or add the pooler",
      );
  });
};
