import type { Engine } from "../engine";
import { cnpg } from "./cnpg";

/** The engines by the name that selects them; the one list of them. */
export const engines: Readonly<Record<Engine["name"], Engine>> = { cnpg };
