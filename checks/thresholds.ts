import { longestPause } from "../settings/cron";
import { durationText, secondsOfDuration } from "../settings/duration";
import { verified } from "../plan/monitoring/alerts/alert";
import { thresholdsOf, type Thresholds } from "../plan/monitoring/alerts/thresholds";
import type { Rule } from "./rule";

/** Fewer samples in a window show no event. */
const SCRAPES = 4;

type Name = keyof Thresholds;

/** What warns, and what is critical: the first comes first. */
const ordered: readonly (readonly [warning: Name, critical: Name, earlier: "lower" | "higher"])[] = [
  ["connectionsHigh", "connectionsFull", "lower"],
  ["wraparoundHigh", "wraparoundRisk", "lower"],
  ["volumeFull", "volumeFullSoon", "higher"],
  ["certificate", "certificateSoon", "higher"],
];

const ofBackups: readonly Name[] = ["archiveBacklog"];
const ofTargets: readonly Name[] = ["recoveryTime"];
const ofBaseBackups: readonly Name[] = ["backupAge", "firstBackup"];
const ofStandbys: readonly Name[] = ["replicationLag", "conflicts"];
const ofPoolers: readonly Name[] = ["poolerWait", "poolerUsed"];

/** Prometheus must have kept what an alert looks back at. */
export const retention: Rule = (settings, report) => {
  const { monitoring } = settings;
  const days = monitoring.install?.retentionDays;
  if (days === undefined || !monitoring.rules || !verified(settings)) return;
  const age = thresholdsOf(settings).verificationAge;
  if (age >= days * 86_400)
    report(
      "monitoring.install.retentionDays",
      days,
      `more than ${durationText(age)}, by which NeverVerified looks back: monitoring.thresholds.verificationAge, or what follows from backup.verify.schedule`,
      "raise it, or verify more often",
    );
};

export const thresholds: Rule = (settings, report, engine) => {
  const { monitoring, backup, poolers, cluster } = settings;
  const given = monitoring.thresholds;
  const path = (name: Name) => `monitoring.thresholds.${name}`;
  const names = (Object.keys(given) as Name[]).filter((name) => given[name] !== undefined);
  if (names.length === 0) return;
  const alerts = monitoring.prometheus !== "none" && monitoring.rules;
  if (!alerts) {
    report(
      "monitoring.thresholds",
      given,
      "must not be set without alerts: monitoring.prometheus is none, or monitoring.rules false",
      "choose how Prometheus finds the metrics, or leave it out",
    );
    return;
  }
  const pointless = (group: readonly Name[], there: boolean, why: string, fix: string) => {
    for (const name of group)
      if (given[name] !== undefined && !there)
        report(path(name), given[name], `must not be set: ${why}`, fix);
  };
  const targets = backup?.targets.length ?? 0;
  pointless(ofBackups, backup !== undefined, "there is no backup", "add backup, or leave it out");
  pointless(ofTargets, targets > 0, "backup.targets is empty", "add a target, or leave it out");
  pointless(
    ofBaseBackups,
    targets > 0 || (backup !== undefined && engine.inMetrics.baseBackups !== undefined),
    "there is no backup",
    "add backup, or leave it out",
  );
  pointless(["copyAge"], targets > 1, "there is no second target", "add one, or leave it out");
  pointless(
    ["verificationAge"],
    verified(settings),
    "no backup is verified",
    "add backup with verify, or leave it out",
  );
  pointless(
    ofStandbys,
    cluster.instances > 1,
    "there is no standby",
    "set cluster.instances, or leave it out",
  );
  pointless(ofPoolers, poolers.length > 0, "poolers is empty", "add a pooler, or leave it out");
  pointless(
    ["reconcileErrors"],
    engine.inMetrics.countsReconciliations,
    `the engine ${engine.name} has no operator that counts them`,
    "leave it out",
  );
  pointless(
    ["backendWrites"],
    cluster.postgresVersion !== "15",
    "PostgreSQL 15 doesn't count them",
    "leave it out",
  );

  const window = secondsOfDuration(given.eventWindow ?? "");
  const least = SCRAPES * (monitoring.install?.scrapeSeconds ?? 0);
  if (window !== undefined && window < least)
    report(
      path("eventWindow"),
      given.eventWindow,
      `at least ${durationText(least)}, ${SCRAPES} times monitoring.install.scrapeSeconds`,
      "raise it, or scrape more often",
    );
  const values = thresholdsOf(settings);
  for (const [warning, critical, earlier] of ordered) {
    const name = given[warning] === undefined ? critical : warning;
    if (given[name] === undefined) continue;
    const right =
      earlier === "lower" ? values[warning] < values[critical] : values[warning] > values[critical];
    if (!right)
      report(
        path(name),
        given[name],
        `a value by which ${warning} warns before ${critical} is critical`,
        `change one of the two`,
      );
  }
  const younger = (name: "backupAge" | "verificationAge" | "copyAge", schedule: string, of: string) => {
    const seconds = secondsOfDuration(given[name] ?? "");
    const pause = longestPause(schedule);
    if (seconds !== undefined && seconds <= pause)
      report(
        path(name),
        given[name],
        `more than ${durationText(pause)}, the longest pause of ${of}, at the end of which it would fire each time`,
        "raise it, or run that more often",
      );
  };
  if (backup === undefined) return;
  younger("backupAge", backup.schedule, "backup.schedule");
  if (verified(settings)) younger("verificationAge", backup.verify.schedule, "backup.verify.schedule");
  if (targets > 1) younger("copyAge", backup.copy.schedule, "backup.copy.schedule");
};
