import { booleanOf, parameterText } from "../settings/catalogue/index";
import { decodes, slotsFollow } from "../plan/postgres/replication";
import { type Rule, twice } from "./rule";

/** Roles that read changes, slots, and the parameters that both need. */
export const replication: Rule = ({ cluster }, report, engine) => {
  const { roles, slots, databases, parameters, name: own } = cluster;
  roles.forEach(({ name, login, replication: replicates }, index) => {
    if (replicates && !login)
      report(
        `cluster.roles[${index}].replication`,
        true,
        `false for ${name}, which may not log in`,
        "leave it out, or let the role log in",
      );
  });
  const needed: Readonly<Record<string, string>> = {
    ...(decodes(cluster) && { wal_level: "logical" }),
    ...(slotsFollow(cluster) && { hot_standby_feedback: "on", sync_replication_slots: "on" }),
  };
  const means = (value: string, wanted: string) =>
    wanted === "on" ? booleanOf(value) === true : value.toLowerCase() === wanted;
  for (const [name, allowed] of Object.entries(needed)) {
    const value = parameters[name];
    if (value !== undefined && !means(parameterText(value), allowed))
      report(
        `cluster.parameters.${name}`,
        value,
        `${allowed} where a role of cluster.roles has replication, or cluster.slots lists a slot`,
        "leave it out",
      );
  }
  if (
    engine.can.listedSlots === true &&
    slots.length > 0 &&
    !roles.some(({ replication: replicates }) => replicates)
  )
    report(
      "cluster.slots",
      slots.map(({ name }) => name),
      "slots where a role of cluster.roles has replication: PostgreSQL lets no other role read one, and it keeps WAL",
      "give a role replication: true, or leave slots out",
    );
  const doubled = twice(slots.map(({ name }) => name));
  const members = new RegExp(`^${own.replaceAll("-", "_")}_\\d+$`);
  slots.forEach(({ name, database }, index) => {
    const at = (key: string) => `cluster.slots[${index}].${key}`;
    if (doubled.has(name)) report(at("name"), name, "a name that no other slot has", "rename it");
    if (members.test(name))
      report(at("name"), name, "a name that isn't an instance's, which has a slot of that name", "rename it");
    const known = databases.map((one) => one.name);
    if (database !== undefined && !known.includes(database))
      report(
        at("database"),
        database,
        `one of pgplatform:cluster.databases (${known.join(", ")})`,
        "correct it, or add the database",
      );
  });
};
