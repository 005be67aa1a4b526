import type { Engine } from "./engine";
import { engines } from "./index";
import type { Settings } from "../../settings/schema";

/** The engine that plans what the settings describe. */
export const engineOf = ({ cluster }: Pick<Settings, "cluster">): Engine => engines[cluster.engine];
