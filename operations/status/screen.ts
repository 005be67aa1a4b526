import type { Report } from "./report";
import { age, ago, clock, counted, percent, size } from "./words";

/** A report on one screen; pure. */

export interface Look {
  /** Columns of the terminal. */
  readonly width: number;
  readonly colour: boolean;
}

const codes = { red: 31, green: 32, yellow: 33, grey: 90, bold: 1 } as const;

export const paint = (text: string, colour: keyof typeof codes, { colour: painted }: Look): string =>
  painted ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;

export interface Column {
  readonly title: string;
  /** The higher, the sooner it is left out on a narrow screen; 0 stays. */
  readonly gives?: number;
  readonly right?: boolean;
}

/** Rows as aligned text that is no wider than the screen, as long as columns can be left out. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width }: Pick<Look, "width">,
): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)));
  // A column that says nothing is nothing to look at.
  let kept = columns
    .map((_, index) => index)
    .filter((index) => rows.some((row) => (row[index] ?? "") !== ""));
  const total = () => 2 + kept.reduce((sum, index) => sum + (widths[index] ?? 0) + 2, -2);
  while (total() > width) {
    const [worst] = kept
      .filter((index) => (columns[index]?.gives ?? 0) > 0)
      .sort((one, other) => (columns[other]?.gives ?? 0) - (columns[one]?.gives ?? 0));
    if (worst === undefined) break;
    kept = kept.filter((index) => index !== worst);
  }
  return all.map((row) =>
    `  ${kept
      .map((index) => {
        const text = row[index] ?? "";
        const wide = widths[index] ?? 0;
        return columns[index]?.right === true ? text.padStart(wide) : text.padEnd(wide);
      })
      .join("  ")}`.trimEnd(),
  );
}

/** A text in lines of the screen's width, those after the first indented. */
export function wrapped(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  const [begin = ""] = /^ */.exec(text) ?? [];
  let line = begin;
  for (const word of text.slice(begin.length).split(" ")) {
    const next = line.trim() === "" ? `${line}${word}` : `${line} ${word}`;
    if (next.length > width && line.trim() !== "") {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = next;
  }
  return [...lines, line];
}

function firstLine({ writes, at }: Report, look: Look): string[] {
  const { work, why, since } = writes;
  const now = Date.parse(at);
  const when =
    since === undefined
      ? ""
      : work
        ? ` since ${clock(since)} (${age((now - Date.parse(since)) / 1000)})`
        : `; the last commit that a standby has is of ${clock(since)}, ${ago(since, now)}`;
  const text =
    work === null
      ? `WHETHER WRITES WORK IS NOT KNOWN: ${why}.`
      : work
        ? `Writes work${when}: ${why}.`
        : `WRITES DO NOT WORK: ${why}${when}.`;
  const [first = "", ...rest] = wrapped(text, look.width, "  ");
  return [first, ...rest].map((line) => paint(paint(line, work ? "green" : "red", look), "bold", look));
}

function problemLines({ problems }: Report, look: Look): string[] {
  return problems.flatMap(({ severity, what, next, runbook, advice = [] }) => {
    const colour = severity === "critical" ? "red" : "yellow";
    return [
      ...wrapped(`! ${what}`, look.width, "    ").map((line) => paint(line, colour, look)),
      ...advice.flatMap((line) => wrapped(`    ${line}`, look.width, "    ")),
      `    next: ${next}`,
      ...(runbook === undefined ? [] : [`    page: docs/${runbook}`]),
    ];
  });
}

const number = (value: number | undefined): string => (value === undefined ? "" : String(value));

function instanceLines({ instances, at }: Report, look: Look): string[] {
  const now = Date.parse(at);
  return table(
    [
      { title: "Instance" },
      { title: "Role" },
      { title: "State" },
      { title: "Node", gives: 2 },
      { title: "Zone", gives: 5 },
      { title: "TL", right: true, gives: 4 },
      { title: "Behind", right: true },
      { title: "Sync" },
      { title: "Up", right: true, gives: 3 },
      { title: "Restarts", right: true, gives: 6 },
    ],
    instances.map((one) => [
      one.name,
      one.role,
      one.answers ? (one.ready ? "ready" : "not ready") : "SILENT",
      one.node ?? "no node",
      one.zone ?? "",
      number(one.timeline),
      one.lagBytes === undefined
        ? ""
        : one.lagBytes === 0
          ? "0"
          : `${size(one.lagBytes)}${one.lagSeconds === undefined ? "" : `, ${age(one.lagSeconds)}`}`,
      one.sync ?? "",
      one.startedAt === undefined ? "" : age((now - Date.parse(one.startedAt)) / 1000),
      String(one.restarts),
    ]),
    look,
  );
}

const poolerLines = ({ poolers }: Report, look: Look): string[] =>
  table(
    [
      { title: "Pooler" },
      { title: "Ready" },
      { title: "Clients", right: true },
      { title: "Waiting", right: true },
      { title: "Servers", right: true },
    ],
    poolers.map(({ name, ready, wanted, clients, waiting, servers }) => [
      name,
      `${ready} of ${wanted}`,
      number(clients),
      number(waiting),
      number(servers),
    ]),
    look,
  );

const volumeLines = ({ volumes }: Report, look: Look): string[] =>
  table(
    [
      { title: "Volume of" },
      { title: "Holds" },
      { title: "Full", right: true },
      { title: "Size", right: true },
      { title: "Free", right: true, gives: 1 },
    ],
    volumes.map(({ instance, holds, bytes, usedBytes }) => [
      instance,
      holds,
      percent(bytes === 0 ? 0 : usedBytes / bytes),
      size(bytes),
      size(bytes - usedBytes),
    ]),
    look,
  );

const targetLines = ({ targets, at }: Report, look: Look): string[] => {
  const now = Date.parse(at);
  const when = (moment: string | undefined) => (moment === undefined ? "none" : ago(moment, now));
  return table(
    [
      { title: "Target" },
      { title: "Answers" },
      { title: "Archive ID", gives: 2 },
      { title: "Base backup" },
      { title: "Newest WAL" },
      { title: "Verified", gives: 1 },
    ],
    targets.map(({ name, answers, archiveId, baseAt, walAt, verifiedAt, verified }) => [
      name,
      answers ? "yes" : "NO",
      archiveId ?? "",
      answers ? when(baseAt) : "",
      answers ? when(walAt) : "",
      verifiedAt === undefined ? "never" : `${ago(verifiedAt, now)}${verified === false ? ", FAILED" : ""}`,
    ]),
    look,
  );
};

/** What fits into a line each. */
function plainLines({ sessions, archive, volumeBackup, certificates, alerts, at }: Report): string[] {
  const now = Date.parse(at);
  return [
    ...(sessions
      ? [
          `  Sessions: ${sessions.connections} of ${sessions.maxConnections} connections; ${sessions.blocked} wait for a lock; longest transaction ${age(sessions.longestTransactionSeconds)}`,
        ]
      : []),
    ...(archive
      ? [
          `  Archive: ${archive.lastAt === undefined ? "nothing archived yet" : `last segment ${ago(archive.lastAt, now)}`}${archive.failing ? ", FAILING" : ""}; ${counted(archive.waitingSegments, "segment waits", "segments wait")}` +
            (archive.unarchivedSeconds === undefined
              ? ""
              : `; oldest write that isn't archived ${age(archive.unarchivedSeconds)}, of ${age(archive.rpoSeconds ?? 0)} allowed`),
        ]
      : []),
    ...(volumeBackup === undefined ? [] : [`  Base backup on the archive volume: ${volumeBackup}`]),
    ...(certificates.length === 0
      ? []
      : [
          `  Certificates: ${certificates.map(({ what, ends }) => `${what} ${age((Date.parse(ends) - now) / 1000)}`).join(", ")} left`,
        ]),
    alerts.known
      ? `  Alerts: ${alerts.firing.length === 0 ? "none fires" : alerts.firing.map(({ name }) => name).join(", ")}`
      : "  Alerts: not known; no Prometheus of this stack can be asked",
  ];
}

const SHOWN_CHANGES = 3;

export function changeLines({ changes, at }: Pick<Report, "changes" | "at">, look: Look): string[] {
  const now = Date.parse(at);
  return changes.flatMap(({ at: when, timeline, primary, why }) =>
    wrapped(
      `  ${clock(when)} (${ago(when, now)})${timeline === undefined ? "" : ` timeline ${timeline}`}${primary === undefined ? "" : ` ${primary}`}: ${why}`,
      look.width,
      "      ",
    ),
  );
}

export function screen(report: Report, look: Look): string[] {
  const { problems, changes, unread } = report;
  const section = (lines: readonly string[]) =>
    lines.length <= 1 ? [] : ["", paint(lines[0] ?? "", "grey", look), ...lines.slice(1)];
  return [
    ...firstLine(report, look),
    ...wrapped(
      `${report.namespace}/${report.cluster}, ${report.engine}, context ${report.context}, ${clock(report.at)}`,
      look.width,
      "  ",
    ).map((line) => paint(line, "grey", look)),
    ...(problems.length === 0
      ? unread.length === 0
        ? ["Nothing is wrong."]
        : []
      : problemLines(report, look)),
    ...(unread.length === 0
      ? []
      : wrapped(`? not known, since it could not be read in time: ${unread.join("; ")}`, look.width, "    ")),
    ...section(instanceLines(report, look)),
    ...section(poolerLines(report, look)),
    ...section(volumeLines(report, look)),
    ...section(targetLines(report, look)),
    "",
    ...plainLines(report).flatMap((line) => wrapped(line, look.width, "    ")),
    ...(changes.length === 0
      ? []
      : [
          "",
          paint("  Last changes of the primary (`pgp history` has all)", "grey", look),
          ...changeLines({ ...report, changes: changes.slice(0, SHOWN_CHANGES) }, look),
        ]),
  ];
}
