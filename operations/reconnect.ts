import { poolerLabels } from "../plan/names";
import { reconnectCommand } from "../plan/pooler/console";
import { UserError } from "../shell/userError";
import { inContainer } from "./inContainer";
import { isReady, selectorOf } from "./kubectl";
import type { Platform } from "./platform";

/**
 * Has every pod of the poolers, or of one, replace its server connections, each when its transaction ends. Statements that a change of the schema has broken
 * work again, since no server connection has them prepared any more.
 */
export async function reconnectPoolers(
  { kubectl, settings }: Pick<Platform, "kubectl" | "settings">,
  name?: string,
): Promise<string> {
  const { cluster, poolers } = settings;
  const wanted = poolers.filter((pooler) => name === undefined || pooler.name === name);
  if (wanted.length === 0)
    throw new UserError([
      poolers.length === 0
        ? `${cluster.namespace}/${cluster.name} has no pooler, whose server connections could be replaced.`
        : `--pooler: "${name}" is not allowed. Allowed: ${poolers.map((one) => one.name).join(", ")}. Fix: name one, or leave it out for all.`,
    ]);
  const asked = await Promise.all(
    wanted.map(async (pooler) => {
      const selector = selectorOf(poolerLabels(cluster.name, pooler.name));
      const pods = await kubectl.list("pods", cluster.namespace, selector);
      const ready = pods.filter(isReady);
      await Promise.all(
        ready.map(({ metadata }) =>
          kubectl.run([...inContainer(cluster.namespace, metadata.name, "pgbouncer"), ...reconnectCommand], {
            timeoutMs: 20_000,
          }),
        ),
      );
      return `${pooler.name} (${ready.length} of ${pods.length} pods)`;
    }),
  );
  return `Server connections are replaced as soon as their transactions end: ${asked.join(", ")}.`;
}
