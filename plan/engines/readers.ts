import type { Settings } from "../../settings/schema";
import { reader as cnpg } from "./cnpg/reader";
import type { EngineReader } from "./reader";
import { reader as standalone } from "./standalone/reader";
import { reader as zalando } from "./zalando/reader";

/** The engines' readers of rendered objects; apart from select.ts, since the policy pack loads no planner. */
export const readers: Readonly<Record<Settings["cluster"]["engine"], EngineReader>> = {
  cnpg,
  zalando,
  standalone,
};
