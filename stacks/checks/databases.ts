import { rolePrefix } from "../../components/names";
import { type Rule, twice } from "./rule";

const reservedDatabases = ["postgres", "template0", "template1", "pgbouncer", "pgplatform_auth"];
const reservedOwner = (owner: string) =>
  ["postgres", "streaming_replica", "public", "none"].includes(owner) ||
  ["pg_", "cnpg_", rolePrefix].some((prefix) => owner.startsWith(prefix));

export const databases: Rule = ({ cluster }, report) => {
  const doubled = twice(cluster.databases.map(({ name }) => name));
  cluster.databases.forEach(({ name, owner }, index) => {
    if (reservedDatabases.includes(name))
      report(
        `cluster.databases[${index}].name`,
        name,
        `any name but ${reservedDatabases.join(", ")}`,
        "rename it",
      );
    if (doubled.has(name))
      report(`cluster.databases[${index}].name`, name, "a name that no other database has", "rename it");
    if (reservedOwner(owner))
      report(
        `cluster.databases[${index}].owner`,
        owner,
        `a role that isn't the server's, the operator's or the platform's (postgres, streaming_replica, pg_…, cnpg_…, ${rolePrefix}…)`,
        "rename it",
      );
  });
};
