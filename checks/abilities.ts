import { capabilities, type Capability } from "../plan/engines/planner";
import { addressingStyle, storesOf } from "../plan/backup/store";
import { type Rule, within } from "./rule";

/** Settings that need something which not every engine can do. */
export const abilities: Rule = (settings, report, engine) => {
  const { cluster } = settings;
  const { postgresVersion, instances, durability } = cluster;
  if (!engine.postgresVersions.includes(postgresVersion))
    report(
      "cluster.postgresVersion",
      postgresVersion,
      `one of ${engine.postgresVersions.join(", ")} with the engine ${engine.name}`,
      "choose one of them, or another engine",
    );

  const targets = settings.backup?.targets ?? [];
  const withRole = targets.findIndex(({ roleArn }) => roleArn !== undefined);
  const stores = storesOf(settings);
  const virtual = stores.findIndex((store) => addressingStyle(store) === "virtual");
  const place = Object.entries(settings.restore?.to ?? {}).find(([kind]) => kind !== "time");
  // What no setting asks for is left to the policies: how strict the namespace's Pod Security is, for one.
  const needed: Partial<Record<Capability, [wanted: boolean, path: string, value: unknown]>> = {
    operator: [settings.operator.install, "operator.install", settings.operator.install],
    standbys: [instances > 1, "cluster.instances", instances],
    quorumFailover: [
      durability === "zero-loss" && engine.can.standbys === true,
      "cluster.durability",
      durability,
    ],
    drainsWait: [cluster.drains === "wait", "cluster.drains", cluster.drains],
    watchdog: [cluster.watchdogSeconds !== undefined, "cluster.watchdogSeconds", cluster.watchdogSeconds],
    walVolume: [cluster.storage.walSize !== undefined, "cluster.storage.walSize", cluster.storage.walSize],
    archiveVolume: [
      cluster.storage.archiveSize !== undefined,
      "cluster.storage.archiveSize",
      cluster.storage.archiveSize,
    ],
    backupTimeZone: [
      settings.backup !== undefined && settings.backup.timeZone !== "UTC",
      "backup.timeZone",
      settings.backup?.timeZone,
    ],
    restoreToPlace: [place !== undefined, `restore.to.${place?.[0]}`, place?.[1]],
    foreignArchive: [
      settings.restore?.serverName !== undefined,
      "restore.serverName",
      settings.restore?.serverName,
    ],
    accountInForeignNamespace: [
      !cluster.makeNamespace && (settings.registries.length > 0 || targets.some(({ roleArn }) => roleArn)),
      "cluster.makeNamespace",
      cluster.makeNamespace,
    ],
    roleInPlaceOfKey: [withRole >= 0, `backup.targets[${withRole}].roleArn`, targets[withRole]?.roleArn],
    virtualHosts: [virtual >= 0, `backup.targets[${virtual}].pathStyle`, false],
    zoneSpread: [
      cluster.scheduling.topologySpread.length > 0,
      `${cluster.scheduling === settings.scheduling ? "" : "cluster."}scheduling.topologySpread`,
      cluster.scheduling.topologySpread,
    ],
    listedSlots: [cluster.slots.length > 0, "cluster.slots", cluster.slots.map(({ name }) => name)],
    anyUser: [settings.platform === "openshift", "platform", settings.platform],
    severalDatabases: [cluster.databases.length > 1, "cluster.databases", cluster.databases.length],
  };
  for (const capability of capabilities) {
    const ability = engine.can[capability];
    const [wanted, path, value] = needed[capability] ?? [false, "", undefined];
    if (wanted && ability !== true) report(path, value, within(engine, ability), ability.instead);
  }
};
