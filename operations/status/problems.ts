import { alerts } from "../../plan/monitoring/alerts";
import { secretNames } from "../../plan/names";
import { isReady } from "../kubectl";
import { type Found, isCalledPrimary } from "../platform";
import { hangingIn } from "./ask";
import { backups } from "./backupRule";
import { helpers } from "./helperRule";
import { LOGINS_MINUTES } from "./logins";
import type { Problem } from "./report";
import { critical, type Facts, formerPrimary, kubectl, page, type Rule, warning } from "./rule";
import { age, counted, percent, size } from "./words";

/** What is wrong, with the command to run next and the page that says what to do; pure. */

const holds: Rule = ({ found, seen }) =>
  seen.cluster === undefined
    ? []
    : found.platform.live.onCall
        .holds(seen.cluster)
        .map(({ what, end }) => critical(what, end === undefined ? "pgp logs" : `pgp ${end}`));

/** What stops writes, with the page of its cause. */
const writes: Rule = ({ found, seen, facts, primary }) => {
  const { work, why } = facts.writes;
  if (work === true) return [];
  if (work === null) return [critical(why, kubectl(found, "get pods -o wide"), page("PostgreSQLDown"))];
  const say = (next: string, alert: string) => [critical(why, next, page(alert))];
  const pods = seen.pods ?? [];
  const called = pods.find((pod) => isCalledPrimary(found.platform.engine, pod));
  const name = called?.metadata.name ?? "";
  if (seen.cluster && found.platform.live.fullVolumes?.stopped(seen.cluster) === true)
    return [
      {
        ...critical(why, "pgp logs --no-follow --since 30m --level error", page("WALVolumeFullSoon")),
        ...(seen.full && { advice: [...seen.full] }),
      },
    ];
  if (/No space left on device/.test(why))
    return say("pgp logs --no-follow --since 30m --level error", "DataVolumeFullSoon");
  if (seen.written.get(name)?.waitsForStandby === true)
    return say("pgp logs --since 30m", "NoSynchronousStandby");
  // An operator that knows that the primary hangs calls it so no longer, and may wait long for its end.
  const waits =
    called === undefined &&
    (hangingIn(seen).length > 0 ||
      (formerPrimary(found, seen) !== undefined && facts.instances.some(({ answers }) => answers)));
  if (seen.heard.get(name)?.hangs === true || waits)
    return say(
      found.platform.engine.can.standbys === true ? "pgp failover" : `pgp restart ${name}`,
      "PostgreSQLDown",
    );
  if (primary !== undefined && facts.poolers.length > 0 && facts.poolers.every(({ ready }) => ready === 0))
    return say(kubectl(found, "get pods -l app.kubernetes.io/name=pgbouncer -o wide"), "PoolerDown");
  if (seen.cluster === undefined && pods.length === 0) return [critical(why, "pgp up")];
  return say(
    called === undefined ? "pgp logs --no-follow --since 30m" : kubectl(found, `describe pod ${name}`),
    "PostgreSQLDown",
  );
};

/** What couldn't be read isn't well, but for what this user may not read. Of instances and backups their own rules tell. */
const unread: Rule = ({ seen }) =>
  seen.unread
    .filter(
      (one) => !/^(backups|nodes|alerts|refused logins at|PostgreSQL in|the row at)\b|forbidden/i.test(one),
    )
    .map((one) => warning(`not known, since it could not be read: ${one}`, "pgp status"));

const instances: Rule = ({ found, seen, facts, shape, primary }) => {
  const { pods = [] } = seen;
  const wanted = shape?.instances ?? pods.length;
  const primaries = facts.instances.filter(({ role, answers }) => answers && role === "primary");
  const called = pods
    .filter((pod) => isCalledPrimary(found.platform.engine, pod))
    .map(({ metadata }) => metadata.name);
  const nodes = new Map(seen.nodes?.map((node) => [node.metadata.name, isReady(node)]));
  return [
    ...(primaries.length > 1
      ? [
          critical(
            `${primaries.map(({ name }) => name).join(" and ")} both take writes`,
            "pgp logs --no-follow --since 30m",
            page("TwoPrimaries"),
          ),
        ]
      : []),
    ...(pods.length < wanted
      ? [
          warning(
            `${pods.length} of ${wanted} instances are there`,
            kubectl(found, "get events --sort-by=.lastTimestamp"),
            page("InstancesMissing"),
          ),
        ]
      : []),
    ...facts.instances.flatMap(({ name, why, answers, node, role, sync }) => {
      if (node !== undefined && nodes.get(node) === false)
        return [
          warning(
            `${name} is on node ${node}, which is not ready`,
            found.platform.kubectl.line(`describe node ${node}`),
            page("NodeNotReady"),
          ),
        ];
      if (why !== undefined)
        // What is wrong with the primary is said already.
        return facts.writes.work !== true && called.includes(name)
          ? []
          : [warning(`${name}: ${why}`, kubectl(found, `describe pod ${name}`), page("InstancesMissing"))];
      return answers && role === "standby" && sync === "not streaming" && primary
        ? [
            warning(
              `${name} does not stream from the primary`,
              "pgp logs --no-follow --since 30m --level warning",
              page("StandbyNotStreaming"),
            ),
          ]
        : [];
    }),
  ];
};

const replication: Rule = ({ facts, primary, limits }) => [
  ...facts.instances.flatMap(({ name, lagSeconds = 0, lagBytes = 0, sync }) =>
    sync !== "not streaming" && lagSeconds > limits.lagSeconds
      ? [
          warning(
            `${name} is ${age(lagSeconds)} (${size(lagBytes)}) behind the primary`,
            "pgp blockers",
            page("ReplicationLag"),
          ),
        ]
      : [],
  ),
  ...(primary?.synchronous === true &&
  !primary.standbys.some(({ sync }) => sync === "sync" || sync === "quorum")
    ? [
        warning(
          "no standby confirms commits",
          "pgp logs --no-follow --since 30m",
          page("NoSynchronousStandby"),
        ),
      ]
    : []),
  ...(primary?.readOnly === true
    ? [
        critical(
          "default_transaction_read_only is on: programs can only read",
          "pgp psql -- -c 'show default_transaction_read_only'",
        ),
      ]
    : []),
];

const poolers: Rule = ({ found, facts, limits }) =>
  facts.poolers.flatMap(({ name, ready, wanted, waiting = 0, waitSeconds = 0, servers }) => {
    const look = kubectl(found, "get pods -l app.kubernetes.io/name=pgbouncer -o wide");
    if (ready === 0)
      // With no other pooler the first problem says it.
      return facts.writes.work
        ? [critical(`no pod of the pooler ${name} is ready`, look, page("PoolerDown"))]
        : [];
    return [
      ...(ready < wanted
        ? [
            warning(
              `${ready} of ${wanted} pods of the pooler ${name} are ready`,
              look,
              page("PoolerPodsMissing"),
            ),
          ]
        : []),
      ...(waiting > 0 && servers === 0
        ? [
            critical(
              `${counted(waiting, `client of the pooler ${name} waits`, `clients of the pooler ${name} wait`)}, and it has no connection to PostgreSQL`,
              "pgp pooler show",
              page("PoolerLoginFailing"),
            ),
          ]
        : waitSeconds > limits.poolerWaitSeconds
          ? [
              warning(
                `${counted(waiting, `client of the pooler ${name} waits`, `clients of the pooler ${name} wait`)}, the first for ${age(waitSeconds)}`,
                "pgp pooler show",
                page("PoolerClientsWaiting"),
              ),
            ]
          : []),
    ];
  });

/** Pages of volumes that fill, by what they hold. */
const pagesOfVolumes = {
  data: "DataVolumeFilling",
  wal: "WALVolumeFilling",
  archive: "VolumeNearlyFull",
} as const;

const volumes: Rule = ({ facts, limits }) =>
  facts.volumes.flatMap(({ instance, holds: what, bytes, usedBytes }) => {
    const share = bytes === 0 ? 0 : usedBytes / bytes;
    if (share < limits.volumeUsed) return [];
    const text = `the ${what} volume of ${instance} is ${percent(share)} full (${size(bytes - usedBytes)} of ${size(bytes)} are free)`;
    const next =
      what === "wal" ? "pgp psql -- -c 'select * from pg_replication_slots'" : "pgp psql -- -c '\\l+'";
    return [(share > 0.95 ? critical : warning)(text, next, page(pagesOfVolumes[what]))];
  });

const sessions: Rule = ({ facts: { sessions: now }, limits }) => {
  if (now === undefined) return [];
  const { connections, maxConnections, blocked, blockedSeconds, longestTransactionSeconds } = now;
  return [
    ...(blocked > 0 && blockedSeconds >= Math.min(limits.blockedSeconds, 5)
      ? [
          warning(
            `${counted(blocked, "session waits", "sessions wait")} for a lock, the first for ${age(blockedSeconds)}`,
            "pgp blockers",
            page("BlockedSessions"),
          ),
        ]
      : []),
    ...(connections >= limits.connectionsHigh * maxConnections
      ? [
          warning(
            `${connections} of ${maxConnections} connections are in use`,
            "pgp blockers",
            page("HighConnections"),
          ),
        ]
      : []),
    ...(longestTransactionSeconds > limits.transactionSeconds
      ? [
          warning(
            `a transaction is open for ${age(longestTransactionSeconds)}`,
            "pgp blockers",
            page("LongTransaction"),
          ),
        ]
      : []),
  ];
};

/** A person who mistypes a password is no problem; a program tries again and again. */
const FEW_LOGINS = 3;
const SHOWN_ADDRESSES = 3;

const logins: Rule = ({ facts }) =>
  facts.refusedLogins
    .filter(({ count }) => count >= FEW_LOGINS)
    .map(({ role, why, count, from, at }) => {
      const more = from.length - SHOWN_ADDRESSES;
      const addresses = `${from.slice(0, SHOWN_ADDRESSES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
      return warning(
        `${count} logins as ${role} were refused in the last ${LOGINS_MINUTES} minutes by ${at.join(" and ")}, from ${addresses}: ${why}`,
        "pgp logs --no-follow --since 10m --level error",
        { runbook: "connect.md#a-login-that-is-refused" },
      );
    });

/** Who renews a certificate, by who issues it. */
function renewal(found: Found, secret: string): string {
  const { settings, engine, kubectl: at } = found.platform;
  switch (found.subject?.settings.tls.issuer) {
    case "platform":
      return "pgp up";
    case "cert-manager":
      return kubectl(found, `describe certificate ${secretNames.signed(settings.cluster.name)}`);
    case "engine":
      return at.line(
        `-n ${engine.operatorNamespace} logs deployment/${engine.inMetrics.operator} --since=1h`,
      );
    default:
      return kubectl(found, `describe secret ${secret}`);
  }
}

const certificates: Rule = ({ found, facts, limits, now }) =>
  facts.certificates.flatMap(({ what, secret, ends }) => {
    const left = (Date.parse(ends) - now) / 1000;
    if (left > limits.certificateSeconds) return [];
    const when = left <= 0 ? `ended ${age(-left)} ago` : `ends in ${age(left)}`;
    return left <= limits.certificateSoonSeconds
      ? [
          critical(
            `the ${what} certificate (Secret ${secret}) ${when}`,
            renewal(found, secret),
            page("CertificateEndsSoon"),
          ),
        ]
      : [
          warning(
            `the ${what} certificate (Secret ${secret}) ${when}`,
            renewal(found, secret),
            page("CertificateEnds"),
          ),
        ];
  });

const operator: Rule = ({ found, seen }) =>
  seen.operatorReady === false
    ? [
        warning(
          "no pod of the operator is ready: failovers and changes wait for it",
          found.platform.kubectl.line(`-n ${found.platform.engine.operatorNamespace} get pods`),
          page("OperatorDown"),
        ),
      ]
    : [];

const restart: Rule = ({ primary }) =>
  (primary?.pendingRestart ?? 0) > 0
    ? [
        warning(
          `${counted(primary?.pendingRestart ?? 0, "parameter waits", "parameters wait")} for a restart`,
          "pgp restart --rolling",
          page("PendingRestart"),
        ),
      ]
    : [];

/** What Prometheus says and nothing above has said. */
const firing = ({ facts }: Facts, said: readonly Problem[]): Problem[] =>
  facts.alerts.firing
    .filter(({ name }) => alerts.some((one) => one.name === name))
    .filter(({ name }) => !said.some(({ runbook }) => runbook === page(name).runbook))
    .map(({ name, severity, summary }) =>
      (severity === "critical" ? critical : warning)(
        `alert ${name}: ${summary}`,
        "pgp monitoring",
        page(name),
      ),
    );

const rules: readonly Rule[] = [
  holds,
  writes,
  instances,
  replication,
  poolers,
  volumes,
  sessions,
  logins,
  backups,
  certificates,
  operator,
  helpers,
  restart,
  unread,
];

export function problemsOf(facts: Facts): Problem[] {
  const own = rules.flatMap((rule) => rule(facts));
  const all = [...own, ...firing(facts, own)];
  return [
    ...all.filter(({ severity }) => severity === "critical"),
    ...all.filter(({ severity }) => severity !== "critical"),
  ];
}
