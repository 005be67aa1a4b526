import { durationText } from "../../../settings/duration";
import type { Settings } from "../../../settings/schema";
import { plannerOf } from "../../engines/select";
import type { InMetrics } from "../../engines/planner";
import type { Thresholds } from "./thresholds";

/** What an alert's expression and texts are made of. */
type Of<T> = (thresholds: Thresholds, settings: Settings) => T;

export const severities = ["critical", "warning", "info"] as const;
export type Severity = (typeof severities)[number];

/** One alert, written once for all engines. Its texts may hold `{{ $value }}` and `{{ $labels.… }}`. */
export interface Alert {
  readonly name: string;
  /** critical: a person is woken; warning: by day; info: only to be seen. */
  readonly severity: Severity;
  /** Seconds for which it must be so; by the thresholds where the time itself is one. */
  readonly for: number | Of<number>;
  readonly expr: Of<string>;
  /** Behind the cluster's name: what is so, with the value. */
  readonly summary: string | Of<string>;
  /** What it means for those who use the database. */
  readonly description: string;
  /** Whether the settings ask for what it is about. @default - it is about every cluster */
  readonly applies?: (settings: Settings) => boolean;
}

/** Labels of every sample of the cluster. */
export const ofCluster = ({ cluster }: Settings, more = ""): string =>
  `namespace="${cluster.namespace}",cluster="${cluster.name}"${more === "" ? "" : `,${more}`}`;

/** A metric of the cluster: `metric{…}`. */
export const of = (metric: string, settings: Settings, more = ""): string =>
  `${metric}{${ofCluster(settings, more)}}`;

export const inMetrics = (settings: Settings): InMetrics => plannerOf(settings).inMetrics;

/** Labels by which Kubernetes' own metrics name the instances. */
export const ofPods = (settings: Settings): string =>
  `namespace="${settings.cluster.namespace}",pod=~"${inMetrics(settings).pods(settings.cluster.name)}"`;

/** Kubernetes' samples of pods with the label that PostgreSQL's have. */
export const byInstance = (expr: string): string => `label_replace(${expr}, "instance", "$1", "pod", "(.*)")`;

/** 1 where the expression has no value, with a label that says what is absent. */
export const absent = (expr: string, label: string, value: string): string =>
  `label_replace(absent(${expr}), "${label}", "${value}", "", "")`;

/** For how long back events are counted, as Prometheus writes it. */
export const recent = (t: Thresholds): string => `${t.eventWindow}s`;
/** The same for readers. */
export const recently = (t: Thresholds): string => durationText(t.eventWindow);

/** How long a platform may take to come up for the first time. */
const FIRST_START = "15m";

/**
 * What is absent, but not while it comes up for the first time: it was there within a quarter of an hour (`before`), or something of the platform was
 * watched a quarter of an hour ago.
 */
export const lost = (what: string, before: string, settings: Settings): string =>
  `${what} and on () (count(${before.replaceAll("RANGE", FIRST_START)}) or count(${of("up", settings)} offset ${FIRST_START}))`;

export const or = (exprs: readonly string[]): string => exprs.join(" or ");

/** Whether there is anything to replicate to. */
export const replicated = ({ cluster }: Settings): boolean => cluster.instances > 1;
export const archived = ({ backup }: Settings): boolean => backup !== undefined;
/** Whether there are stores, which are watched. */
export const stored = ({ backup }: Settings): boolean => (backup?.targets.length ?? 0) > 0;
export const verified = (settings: Settings): boolean =>
  stored(settings) && settings.backup?.verify.enabled === true;

/**
 * How much a counter has grown, whatever role its instance had meanwhile. A series begins with each role: what was counted before its first sample would be lost,
 * as a deadlock is right after a failover. Prometheus extrapolates to the ends of the range: of 5 it makes 5.2.
 */
export const counted = (metric: string, settings: Settings, range: string): string =>
  `round(increase((max without (role) (${of(metric, settings)}))[${range}:30s]))`;
