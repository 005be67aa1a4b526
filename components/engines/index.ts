import type { Engine, EngineTraits } from "../engine";
import { cnpg } from "./cnpg";
import { standalone } from "./standalone";
import { zalando } from "./zalando";

/** The engines by the name that selects them; the one list of them. */
export const engines: Readonly<Record<EngineTraits["name"], Engine>> = { cnpg, zalando, standalone };

/** What is enough to check settings for each. */
export const engineTraits: Readonly<Record<EngineTraits["name"], EngineTraits>> = engines;
