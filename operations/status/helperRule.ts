import { helperRoles } from "../../plan/names";
import { kubectl, page, type Rule, warning } from "./rule";

/** What is missing meanwhile, and the page. The watcher of the backups is missed by the rules of backups. */
export const missed: Readonly<
  Record<string, { readonly what: string; readonly page: { readonly runbook: string } }>
> = {
  [helperRoles.watchdog]: {
    what: "a primary that hangs is replaced late, by the operator alone",
    page: { runbook: "failover.md#the-watchdog" },
  },
  [helperRoles.monitor]: {
    what: "nothing tells of certificates that end",
    page: page("MetricsAbsent"),
  },
  [helperRoles.loginReloader]: {
    what: "changed passwords don't reach PostgreSQL",
    page: { runbook: "secrets.md#a-changed-password" },
  },
  [helperRoles.metrics]: { what: "there are no metrics of an instance", page: page("ExporterDown") },
};

export const helpers: Rule = ({ found, seen }) =>
  (seen.idle ?? []).flatMap(({ name, role }) => {
    const one = missed[role];
    return one === undefined
      ? []
      : [
          warning(
            `no pod of ${name} is ready: ${one.what}`,
            kubectl(found, `describe deployment ${name}`),
            one.page,
          ),
        ];
  });
