import type { ClientPod } from "./clients";
import type { Environment } from "./environment";

/** One password, tried both ways: for suites in which passwords change. */

export interface Login {
  user: string;
  password: string;
}

/** Of the clients that a stack lists: one that goes through a pooler, and one that connects directly. */
export function bothWays<
  T extends { readonly pooler?: string | undefined; readonly direct?: boolean | undefined },
>(clients: readonly T[]): { pooled: T; direct: T } {
  const pooled = clients.find((client) => client.pooler !== undefined && client.direct !== true);
  const direct = clients.find((client) => client.direct === true);
  if (pooled === undefined || direct === undefined)
    throw new Error("the stack must list a client of the pooler and a direct client");
  return { pooled, direct };
}

/** Who a session is and acts as, directly and through the pooler; or why there is none. */
export async function sessions(
  env: Environment,
  pods: { readonly direct: ClientPod; readonly pooled: ClientPod },
  { user, password }: Login,
): Promise<string[]> {
  const login = { PGUSER: user, PGPASSWORD: password };
  const ask = "select session_user, current_user";
  const answers = await Promise.all([
    pods.direct.psql(env.plan.endpoints.primary.host, ask, login),
    pods.pooled.psql(env.pooler.host, ask, login),
  ]);
  return answers.map(({ exitCode, stdout, stderr }) => (exitCode === 0 ? stdout : stderr).trim());
}

/** When each instance's PostgreSQL was started. */
export const started = async ({ cluster }: Environment): Promise<string[]> =>
  Promise.all(
    (await cluster.names()).map(
      async (pod) => `${pod} ${await cluster.value(pod, "select pg_postmaster_start_time()")}`,
    ),
  );
