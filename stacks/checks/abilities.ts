import { capabilities } from "../../components/engine";
import type { Rule } from "./rule";

/** Settings that need something which not every engine can do. */
export const abilities: Rule = ({ cluster }, report, engine) => {
  const needed: Record<(typeof capabilities)[number], [wanted: boolean, path: string, value: unknown]> = {
    quorumFailover: [cluster.durability === "zero-loss", "cluster.durability", cluster.durability],
    walVolume: [cluster.storage.walSize !== undefined, "cluster.storage.walSize", cluster.storage.walSize],
    zoneSpread: [false, "cluster.instances", cluster.instances],
    severalDatabases: [cluster.databases.length > 1, "cluster.databases", cluster.databases.length],
    podSecurityRestricted: [true, "cluster.engine", cluster.engine],
  };
  for (const capability of capabilities) {
    const ability = engine.can[capability];
    const [wanted, path, value] = needed[capability];
    if (wanted && ability !== true)
      report(path, value, `what the engine ${engine.name} can do, and ${ability.because}`, ability.instead);
  }
};
