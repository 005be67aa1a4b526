import type { Settings } from "../../settings/schema";
import { live as liveCnpg } from "./cnpg/live";
import { planner as cnpg } from "./cnpg/planner";
import type { LiveReader } from "./live";
import type { EnginePlanner } from "./planner";
import { live as liveStandalone } from "./standalone/live";
import { planner as standalone } from "./standalone/planner";
import { live as liveZalando } from "./zalando/live";
import { planner as zalando } from "./zalando/planner";

type Name = Settings["cluster"]["engine"];
type Chosen = { readonly cluster: Pick<Settings["cluster"], "engine"> };

/** The engines by the name that selects them. */
export const planners: Readonly<Record<Name, EnginePlanner>> = { cnpg, zalando, standalone };
export const liveReaders: Readonly<Record<Name, LiveReader>> = {
  cnpg: liveCnpg,
  zalando: liveZalando,
  standalone: liveStandalone,
};

/** The engine that plans what the settings describe. */
export const plannerOf = ({ cluster }: Chosen): EnginePlanner => planners[cluster.engine];
/** What reads that engine's live objects. */
export const liveReaderOf = ({ cluster }: Chosen): LiveReader => liveReaders[cluster.engine];
