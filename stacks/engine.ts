import type { Engine } from "../components/engine";
import { engines } from "../components/engines";
import type { Settings } from "./schema";

/** The engine that plans what the settings describe. */
export const engineOf = ({ cluster }: Pick<Settings, "cluster">): Engine => engines[cluster.engine];
