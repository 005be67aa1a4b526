import { poolerLabels } from "../plan/names";
import { reconnectCommand } from "../plan/pooler/console";
import { UserError } from "../shell/userError";
import type { Subject } from "./health";
import { isReady, selectorOf } from "./kubectl";

/**
 * Has every pod of the poolers, or of one, replace its server connections, each when its transaction ends. Statements that a change of the schema has broken
 * work again, since no server connection has them prepared any more.
 */
export async function reconnectPoolers(
  { kubectl, settings }: Pick<Subject, "kubectl" | "settings">,
  name?: string,
): Promise<string> {
  const { cluster, poolers } = settings;
  const wanted = poolers.filter((pooler) => name === undefined || pooler.name === name);
  if (wanted.length === 0)
    throw new UserError([
      poolers.length === 0
        ? "The stack has no pooler, whose server connections could be replaced."
        : `--pooler: "${name}" is not allowed. Allowed: ${poolers.map((one) => one.name).join(", ")}. Fix: choose one, or leave it out for all.`,
    ]);
  const asked = await Promise.all(
    wanted.map(async ({ name, database }) => {
      const pods = await kubectl.list(
        "pods",
        cluster.namespace,
        selectorOf(poolerLabels(cluster.name, name)),
      );
      const ready = pods.filter(isReady);
      await Promise.all(
        ready.map(({ metadata }) =>
          kubectl.run(
            [
              "-n",
              cluster.namespace,
              "exec",
              metadata.name,
              "-c",
              "pgbouncer",
              "--",
              ...reconnectCommand(database),
            ],
            { timeoutMs: 20_000 },
          ),
        ),
      );
      return `${name} (${ready.length} of ${pods.length} pods)`;
    }),
  );
  return `Server connections are replaced as soon as their transactions end: ${asked.join(", ")}.`;
}
