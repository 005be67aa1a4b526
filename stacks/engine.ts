import type { Engine } from "../components/engine";
import { engines } from "../components/engines";
import type { Settings } from "./schema";
import { UserError } from "./userError";

/** The engine that plans what the settings describe; throws a UserError where it can't plan yet. */
export function engineOf({ cluster }: Pick<Settings, "cluster">): Engine {
  const engine = engines[cluster.engine];
  if (engine) return engine;
  throw new UserError([
    `pgplatform:cluster.engine is "${cluster.engine}": the engine ${cluster.engine} can be checked but not yet planned; ` +
      `set ${Object.keys(engines).join(" or ")} to have a database.`,
  ]);
}
