import type { Engine, EngineTraits } from "./engine";
import { cnpg } from "./cnpg/index";
import { standalone } from "./standalone/index";
import { zalando } from "./zalando/index";

/** The engines by the name that selects them; the one list of them. */
export const engines: Readonly<Record<EngineTraits["name"], Engine>> = { cnpg, zalando, standalone };

/** What is enough to check settings for each. */
export const engineTraits: Readonly<Record<EngineTraits["name"], EngineTraits>> = engines;
