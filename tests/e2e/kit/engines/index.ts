import { type EngineTraits } from "../../../../plan/engines/planner";
import { cnpg } from "./cnpg";
import { type EngineKit } from "./kit";
import { standalone } from "./standalone";
import { zalando } from "./zalando";

export {
  type EngineKit,
  type Patches,
  type PlainCluster,
  type Untuned,
  type View,
  type WatchKind,
} from "./kit";

/** What the suites know of each engine, by its name. */
export const kits: Readonly<Record<EngineTraits["name"], EngineKit>> = { cnpg, zalando, standalone };
