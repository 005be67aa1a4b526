import { longestPause } from "../../settings/cron";
import type { Settings } from "../../settings/schema";
import { afterLoss, afterZoneLoss, drainableNodes, type Survival } from "../../settings/sums/availability";
import { outageHours } from "../../settings/sums/wal";
import { byHand, none, type Pause, unknown } from "../engines/pauses";
import type { EnginePlanner } from "../engines/planner";
import { minutesText } from "./compare";
import type { Failure } from "./model";

/** What is known of the Kubernetes cluster. */
export interface Surroundings {
  /** Zones that its nodes are in. @default 3 */
  readonly zones?: number;
}

export interface Case extends Surroundings {
  readonly settings: Settings;
  readonly engine: EnginePlanner;
}

type Loss = Failure["loss"];

const nothing = (note: string): Loss => ({ kind: "nothing", minutes: null, note });
const lastCommits = (note: string): Loss => ({ kind: "last commits", minutes: null, note });

const pauseOf = ({ seconds, basis, note }: Pause): Failure["pause"] => ({
  seconds: seconds ?? null,
  basis,
  note,
});

/** Settings with their values, by their paths below the namespace. */
function named(settings: Settings, ...paths: readonly string[]): Failure["settings"] {
  return paths.flatMap((path) => {
    const value = path
      .split(".")
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], settings);
    return value === undefined || (Array.isArray(value) && value.length === 0)
      ? []
      : [{ path, value: typeof value === "string" ? value : JSON.stringify(value) }];
  });
}

const failure = (
  id: string,
  title: string,
  happens: string,
  pause: Pause,
  loss: Loss,
  settings: Failure["settings"],
): Failure => ({ id, title, happens, pause: pauseOf(pause), loss, settings });

/** What comes of the loss of everything that is in the Kubernetes cluster. */
function lossOfAll({ backup }: Settings, engine: Pick<EnginePlanner, "can">): Loss {
  const outside = (backup?.targets ?? []).filter(({ kind }) => kind !== "local");
  const [first] = backup?.targets ?? [];
  if (backup === undefined || outside.length === 0 || first === undefined)
    return {
      kind: "everything",
      minutes: null,
      note:
        backup === undefined
          ? "there are no backups"
          : engine.can.archiveVolume === true && backup.targets.length === 0
            ? "base backups and WAL are on a volume of the Kubernetes cluster"
            : "the backups are in a store of the same Kubernetes cluster",
    };
  if (first.kind !== "local")
    return minutes(backup.rpoMinutes, "WAL is archived at least every half of that");
  return minutes(
    backup.rpoMinutes + longestPause(backup.copy.schedule) / 60,
    "the first store is lost, too: what the copy has is as old as its schedule's longest pause",
  );
}

const minutes = (count: number, note: string): Loss => ({
  kind: "last minutes",
  minutes: Math.ceil(count),
  note,
});

const commits = (durability: Settings["cluster"]["durability"], { commits: kept }: Survival): Loss =>
  kept
    ? nothing(
        durability === "zero-loss"
          ? "an acknowledged commit is on another instance, too"
          : "an acknowledged commit is on another instance, too, as long as a standby followed",
      )
    : lastCommits("what no standby that is left has received");

/** Instances that are lost at once, the primary among them. */
function lost(
  { settings, engine }: Case,
  survival: Survival,
  pause: Pause,
  happens: string,
): [string, Pause, Loss] {
  const { durability } = settings.cluster;
  if (survival.failover && survival.writes) return [happens, pause, commits(durability, survival)];
  if (survival.failover)
    return [
      `${happens}; writes wait until enough standbys are back to confirm them`,
      byHand("zero-loss: no commit is acknowledged by fewer standbys than synchronousStandbys"),
      commits(durability, survival),
    ];
  return [
    "no instance may take over: those that are left may miss acknowledged commits",
    byHand("until an instance that has them is back"),
    survival.commits ? nothing("the instances that are left have all") : lossOfInstances(settings, engine),
  ];
}

/** Where the lost instances don't come back. */
const lossOfInstances = (settings: Settings, engine: EnginePlanner): Loss => {
  const all = lossOfAll(settings, engine);
  return {
    ...all,
    note: `nothing, if an instance that has the last commits comes back with its volume; else: ${all.note}`,
  };
};

const TAKES_OVER = "a standby takes over, and the other instances follow it";

function pod(of: Case): Failure {
  const { settings, engine } = of;
  const { cluster } = settings;
  const pause = engine.pauses(settings).pod;
  const [happens, pauses, loss] =
    cluster.instances === 1
      ? ([
          "the pod is made again on its volume, and PostgreSQL recovers from its WAL",
          pause,
          nothing("the volume has every acknowledged commit"),
        ] as const)
      : lost(of, afterLoss(cluster, 1), pause, TAKES_OVER);
  return failure("pod", "The primary's pod ends", happens, pauses, loss, decides(settings));
}

const decides = (settings: Settings, ...more: string[]) =>
  named(settings, "cluster.instances", "cluster.durability", "cluster.failover", ...more);

function node(of: Case): Failure {
  const { settings, engine } = of;
  const { cluster } = settings;
  const { node: pause } = engine.pauses(settings);
  const paths = decides(settings, "cluster.spread", "cluster.storage.class");
  const title = "The primary's node is gone";
  if (cluster.instances === 1)
    return failure(
      "node",
      title,
      "the database is down until the node is back, or its volume is attached elsewhere",
      pause,
      lossOfInstances(settings, engine),
      paths,
    );
  if (cluster.spread === "preferred")
    return failure(
      "node",
      title,
      "a standby on another node takes over; instances may share a node, and then all on it are lost",
      unknown("it depends on how many instances the node had"),
      afterLoss(cluster, cluster.instances - 1).commits
        ? nothing("an instance that is left has all")
        : lossOfInstances(settings, engine),
      paths,
    );
  const [happens, pauses, loss] = lost(of, afterLoss(cluster, 1), pause, TAKES_OVER);
  return failure("node", title, happens, pauses, loss, paths);
}

function zone(of: Case): Failure {
  const { settings, engine, zones = 3 } = of;
  const { cluster } = settings;
  const { node: pause } = engine.pauses(settings);
  const title = "A zone is gone";
  const paths = decides(settings, "cluster.scheduling.topologySpread");
  const spread = engine.can.zoneSpread;
  if (cluster.instances === 1 || spread !== true || zones < 2)
    return failure(
      "zone",
      title,
      cluster.instances === 1
        ? "the database is down until the zone is back"
        : zones < 2
          ? "all instances are in it: the database is down until it is back"
          : `it may have all instances, since ${spread === true ? "" : spread.because}`,
      byHand("until the zone is back, or the database is restored elsewhere"),
      lossOfInstances(settings, engine),
      paths,
    );
  const [happens, pauses, loss] = lost(
    of,
    afterZoneLoss(cluster, zones),
    pause,
    `${Math.ceil(cluster.instances / zones)} of ${cluster.instances} instances are lost at most; a standby in another zone takes over`,
  );
  return failure("zone", `${title}, of ${zones}`, happens, pauses, loss, paths);
}

function pooler({ settings, engine }: Case): Failure {
  const { poolers } = settings;
  const title = "A pooler's pod ends";
  const safe = nothing("a transaction under way fails and is rolled back");
  if (poolers.length === 0)
    return failure(
      "pooler",
      title,
      "there is no pooler: clients connect directly",
      none("no pooler"),
      safe,
      [],
    );
  const single = poolers.filter(({ instances }) => instances === 1);
  const paths = poolers.map(({ name, instances }, index) => ({
    path: `poolers[${index}].instances`,
    value: `${instances} (${name})`,
  }));
  if (single.length > 0)
    return failure(
      "pooler",
      title,
      `clients of ${single.map(({ name }) => name).join(", ")} can't connect until its only pod is there again`,
      unknown("as long as a pod takes to be made again, on another node if its own is gone"),
      safe,
      paths,
    );
  return failure(
    "pooler",
    title,
    "its clients connect again, to another pod; those of the others notice nothing",
    engine.pauses(settings).poolers,
    safe,
    paths,
  );
}

function operator({ settings, engine }: Case): Failure {
  const { operator: pause } = engine.pauses(settings);
  const title = "The operator is gone";
  return pause === undefined
    ? failure("operator", title, "there is none", none("no operator"), nothing("no operator"), [])
    : failure(
        "operator",
        title,
        "PostgreSQL and poolers keep running; what the stack changes waits until it is back",
        pause,
        nothing("it holds no data"),
        named(settings, "operator.install"),
      );
}

/** For how long writes continue without the store. */
function whileAway({ cluster }: Settings): Pause {
  const hours = outageHours(cluster);
  const { walSize, size, writeMiBPerSecond } = cluster.storage;
  return none(
    hours === undefined
      ? `writes continue until ${walSize === undefined ? `the data volume (${size})` : `the WAL volume (${walSize})`} is full of WAL; how long isn't known${
          writeMiBPerSecond === undefined ? " without cluster.storage.writeMiBPerSecond" : ""
        }`
      : `writes continue for ${hours < 10 ? hours.toFixed(1) : Math.floor(hours)} h at ${writeMiBPerSecond} MiB a second; then the WAL volume (${walSize}) is full, and PostgreSQL stops`,
  );
}

function stores({ settings }: Case): Failure[] {
  const { backup } = settings;
  const [first, second] = backup?.targets ?? [];
  const paths = named(
    settings,
    "cluster.storage.walSize",
    "cluster.storage.toleratedOutageHours",
    "backup.rpoMinutes",
  );
  const titles = ["The first store is gone", "Both stores are gone"] as const;
  if (backup === undefined || first === undefined) {
    const note =
      backup === undefined ? "there are no backups" : "there is no store: base backups are on a volume";
    const loss: Loss = { kind: "backups", minutes: null, note };
    return [
      failure("primary-store", titles[0], note, none("no store"), loss, paths),
      failure("both-stores", titles[1], note, none("no store"), loss, paths),
    ];
  }
  const away = whileAway(settings);
  const gone: Loss = {
    kind: "backups",
    minutes: null,
    note: "the database keeps all; no earlier moment can be restored until a new base backup is made",
  };
  const behind = Math.ceil(backup.rpoMinutes + longestPause(backup.copy.schedule) / 60);
  return [
    failure(
      "primary-store",
      titles[0],
      second === undefined
        ? `WAL waits on its volume; ${first.name} was the only store`
        : `WAL waits on its volume; the copy in ${second.name} restores all but the last ${minutesText(behind)}`,
      away,
      second === undefined
        ? gone
        : nothing(`the database keeps all, and the copy has the history up to ${minutesText(behind)} before`),
      [...paths, ...named(settings, "backup.copy.schedule")],
    ),
    failure(
      "both-stores",
      titles[1],
      "WAL waits on its volume; nothing is left to restore from",
      away,
      gone,
      paths,
    ),
  ];
}

function everything({ settings, engine }: Case): Failure {
  const loss = lossOfAll(settings, engine);
  const restores = loss.kind !== "everything";
  return failure(
    "cluster",
    "The Kubernetes cluster is gone, with all volumes",
    restores
      ? "`make restore` makes the database out of the newest backup, in another Kubernetes cluster"
      : "nothing can be restored",
    byHand(restores ? "as long as the restore takes; each verification measures it" : "for ever"),
    loss,
    named(settings, "backup.rpoMinutes", "backup.recoveryWindowDays", "backup.verify.schedule"),
  );
}

function credentials({ settings }: Case): Failure {
  const { cluster, secrets } = settings;
  const title = "Passwords leak, or are lost";
  const paths = named(settings, "secrets.source", "rotation.credentialVersion");
  const kept = nothing("a rotation touches no data");
  if (cluster.access.length > 0)
    return failure(
      "credentials",
      title,
      "the passwords are changed by hand: with cluster.access a rotation is refused",
      unknown("clients are refused between the change and their restart"),
      kept,
      [...paths, { path: "cluster.access", value: `${cluster.access.length} rules` }],
    );
  return failure(
    "credentials",
    title,
    secrets.source === "generated"
      ? "a higher credential version makes new logins; the old ones are closed when no session uses them"
      : "their owner changes them: PostgreSQL follows without a restart, and the old login stays until it is left",
    none("the new login works before the old one is closed; PostgreSQL keeps running"),
    kept,
    paths,
  );
}

function certificate({ settings, engine }: Case): Failure {
  const { issuer } = engine.plan(settings).tls;
  const refused = "clients refuse an expired certificate";
  const [renewed, pause] = {
    engine: ["the operator renews it before", none(`while the operator works; ${refused}`)],
    "cert-manager": [
      "cert-manager renews it before",
      none(`while cert-manager and its issuer work; ${refused}`),
    ],
    platform: [
      "`make up` renews it in its last 60 days",
      byHand(`until the next \`make up\`, where none ran for 60 days: ${refused}`),
    ],
    provided: [
      "its owner puts another one into the Secret",
      byHand(`until its owner has done so: ${refused}`),
    ],
  }[issuer] as [string, ReturnType<typeof none>];
  return failure(
    "certificate",
    "The servers' certificate ends",
    `${renewed}, and servers and poolers load it without a restart`,
    pause,
    nothing("connections alone are refused"),
    named(settings, "tls.issuer", "monitoring.rules"),
  );
}

function majorUpgrade({ settings, engine }: Case): Failure {
  const ability = engine.can.majorUpgrade;
  const paths = named(settings, "cluster.postgresVersion");
  const title = "A new major version of PostgreSQL";
  if (ability !== true)
    return failure(
      "major-upgrade",
      title,
      `refused: ${ability.because}. Instead: ${ability.instead}`,
      byHand("as long as the move takes"),
      nothing("the old cluster keeps its data"),
      paths,
    );
  return failure(
    "major-upgrade",
    title,
    "all instances stop, pg_upgrade works on the primary's data, and standbys are copied again; there is no way back but a restore",
    byHand(
      "as long as pg_upgrade takes, which grows with the number of tables; never measured on large databases",
    ),
    nothing("an upgrade that fails leaves the old data as they were"),
    paths,
  );
}

function drain({ settings, engine }: Case): Failure {
  const { cluster } = settings;
  const { drain: pause } = engine.pauses(settings);
  const nodes = drainableNodes(cluster);
  return failure(
    "drain",
    "A node is drained",
    cluster.instances === 1
      ? cluster.drains === "wait"
        ? "the drain waits"
        : "the only instance stops, and moves to another node"
      : nodes === 0
        ? "writes stop while the standby moves"
        : `the primary hands over first; ${nodes === 1 ? "one node" : `${nodes} nodes`} at a time, without a stop of writes`,
    pause,
    nothing("instances stop in order"),
    named(settings, "cluster.drains", "cluster.instances", "cluster.synchronousStandbys"),
  );
}

/** What comes of each failure, in the order in which a report shows them. */
export const failuresOf = (of: Case): Failure[] => [
  pod(of),
  node(of),
  zone(of),
  pooler(of),
  operator(of),
  ...stores(of),
  everything(of),
  credentials(of),
  certificate(of),
  majorUpgrade(of),
  drain(of),
];
