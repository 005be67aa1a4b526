import { secondLogin } from "../plan/postgres/rotation";
import { sourcedRole } from "../plan/secrets/source";
import type { Rule } from "./rule";

/** PostgreSQL cuts longer names off. */
const LONGEST = 63;

export const rotation: Rule = (settings, report) => {
  const { cluster, rotation } = settings;
  const { credentialVersion } = rotation;
  if (credentialVersion === 1) {
    if (rotation.stage !== "only")
      report("rotation.stage", rotation.stage, "only with the first credential version", "leave it out");
    return;
  }
  if (cluster.access.length > 0)
    report(
      "rotation.credentialVersion",
      credentialVersion,
      "1 with cluster.access, whose rules may keep out the Job that tries the new logins",
      "set 1, or leave cluster.access out",
    );
  const owners = cluster.databases.map(({ owner }) => owner);
  const names = [...owners, ...cluster.roles.map(({ name }) => name)];
  const judge = (path: string, name: string) => {
    // It has both logins in every credential version.
    if (sourcedRole(settings, name)) return;
    const login = secondLogin(name);
    if (names.includes(login))
      report(path, name, `a name without a role ${login} beside it, which is its second login`, "rename one");
    if (login.length > LONGEST)
      report(
        path,
        name,
        `at most ${LONGEST - (login.length - name.length)} characters once passwords are rotated`,
        "shorten it",
      );
  };
  owners.forEach((owner, index) => {
    if (owners.indexOf(owner) === index) judge(`cluster.databases[${index}].owner`, owner);
  });
  cluster.roles.forEach(({ name, login }, index) => {
    if (login) judge(`cluster.roles[${index}].name`, name);
  });
};
