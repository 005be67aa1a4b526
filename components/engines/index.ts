import type { Engine, EngineTraits } from "../engine";
import { cnpg } from "./cnpg";
import { standalone } from "./standalone";
import { zalando } from "./zalando/traits";

/** The engines by the name that selects them; the one list of them. Settings can be checked for each. */
export const engineTraits: Readonly<Record<EngineTraits["name"], EngineTraits>> = {
  cnpg,
  zalando,
  standalone,
};

/** Those that can plan. */
export const engines: Readonly<
  { cnpg: Engine; standalone: Engine } & Partial<Record<EngineTraits["name"], Engine>>
> = { cnpg, standalone };
