import { UserError } from "../../shell/userError";
import { withPlatformOf } from "./find";
import { type Call, type CommandSpec, text } from "./spec";

/** How wide what is printed may be. */
const widthOf = (): number => (process.stdout.isTTY ? Math.max(60, process.stdout.columns) : 200);

/** What `blockers` is to do with those that hold up others. */
function endingOf({ options }: Call): "cancel" | "terminate" | undefined {
  if (options.cancel === true && options.terminate === true)
    throw new UserError(["--cancel: must not be set beside --terminate. Fix: leave one of them out."]);
  return options.cancel === true ? "cancel" : options.terminate === true ? "terminate" : undefined;
}

function portOf(call: Call): number | undefined {
  const port = text(call, "port");
  if (port === undefined) return undefined;
  const number = Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new UserError([
    `--port: "${port}" is not allowed. Allowed: 1 to 65535. Fix: write one, or leave it out.`,
  ]);
}

export const sessions: readonly CommandSpec[] = [
  {
    name: "psql",
    group: "look",
    summary: "open psql as the superuser, in the primary's own pod: no password, no network",
    text: ["What stands behind `--` is psql's own. Its exit code is psql's."],
    on: "platform",
    answers: true,
    jsonLines: true,
    positional: [{ syntax: "[arguments...]", meaning: "psql's own, behind --" }],
    options: [
      { flags: "-i, --instance <pod>", meaning: "another instance than the primary" },
      {
        flags: "-d, --database <name>",
        meaning: "the database (default: the first of the stack, else postgres)",
      },
    ],
    examples: [
      { command: "psql", does: "a session with the primary" },
      { command: "psql -- -c 'select now()'", does: "one statement" },
      { command: "psql --instance main-2 -- -Atc 'select pg_is_in_recovery()'", does: "ask a standby" },
    ],
    run: async (call) => {
      const { openPsql } = await import("../psql");
      const exit = await withPlatformOf(call, ({ platform, subject }) =>
        openPsql(platform, {
          instance: text(call, "instance"),
          database: text(call, "database") ?? subject?.settings.cluster.databases[0]?.name ?? "postgres",
          args: call.positional,
        }),
      );
      return { exit };
    },
  },
  {
    name: "connect",
    group: "look",
    summary:
      "open a way from this machine to the database, with a verified certificate; it follows a failover",
    text: [
      "It prints the psql command and how to get the password, and keeps the way open until Ctrl-C. After a failover it leads to the new",
      "primary, on the same local port; a session that was open then is over.",
    ],
    on: "platform",
    options: [
      { flags: "--pooler <name>", meaning: "through this pooler (default: the primary itself)" },
      { flags: "--standby", meaning: "to a standby, for reads" },
      { flags: "--port <number>", meaning: "local port (default: one that is free)" },
    ],
    examples: [
      { command: "connect", does: "to the primary" },
      { command: "connect --pooler app --port 15432", does: "through a pooler, on a port of yours" },
    ],
    run: async (call) => {
      const { connect } = await import("../connect");
      const { interruptible, InterruptedError } = await import("../session");
      const port = portOf(call);
      const way = {
        pooler: text(call, "pooler"),
        standby: call.options.standby === true,
        ...(port !== undefined && { port }),
      };
      try {
        await interruptible(call.progress, (signal) =>
          withPlatformOf(call, (found) => connect(found, way, call.progress, signal)),
        );
      } catch (error) {
        // It is how this command ends.
        if (!(error instanceof InterruptedError)) throw error;
      }
      return { line: "The way is closed." };
    },
  },
  {
    name: "blockers",
    group: "look",
    summary: "show who waits for whose lock, and end what holds others up",
    text: [
      "A tree: below each session what waits for it. --cancel ends the running statement of those at the top, --terminate their sessions,",
      "after asking; a session that is idle in a transaction has no statement to cancel.",
    ],
    on: "platform",
    answers: true,
    asks: true,
    options: [
      { flags: "--cancel", meaning: "cancel the statements of those that hold up others" },
      { flags: "--terminate", meaning: "end the sessions of those that hold up others" },
      { flags: "--pid <pid>", meaning: "only this one of them" },
    ],
    json: async () => {
      const [{ blockersReport }, { schemaOf }] = await Promise.all([
        import("../blockers"),
        import("./schemas"),
      ]);
      return { title: "blockers", schema: schemaOf(blockersReport) };
    },
    examples: [
      { command: "blockers", does: "who waits for whom" },
      { command: "blockers --terminate --pid 4711", does: "end one session that holds up others" },
    ],
    run: async (call) => {
      const how = endingOf(call);
      const { blockersLines, blockersOf, endSessions, roots } = await import("../blockers");
      const { confirm } = await import("../confirm");
      return withPlatformOf(call, async ({ platform }) => {
        const all = await blockersOf(platform);
        const lines = blockersLines(all, widthOf());
        if (how === undefined) return { line: lines.join("\n"), data: { sessions: all, ended: [] } };
        const pid = text(call, "pid");
        const top = roots(all).filter((one) => pid === undefined || one.pid === Number(pid));
        if (top.length === 0)
          throw new UserError([
            pid === undefined
              ? "No session holds up others: nothing was done."
              : `--pid: ${pid} holds up no others. Allowed: ${
                  roots(all)
                    .map((one) => one.pid)
                    .join(", ") || "none does"
                }. Fix: name one of them.`,
          ]);
        lines.forEach((line) => call.progress.line(line));
        const what = how === "cancel" ? "cancel the statement of" : "end the session of";
        await confirm(`${what} ${top.map((one) => `${one.pid} (${one.user}@${one.database})`).join(", ")}?`);
        const ended = await endSessions(platform, how, top);
        return {
          line: `${how === "cancel" ? "Cancelled" : "Terminated"}: ${ended.join(", ") || "none; they had ended by themselves"}.`,
          data: { sessions: all, ended },
        };
      });
    },
  },
  {
    name: "history",
    group: "look",
    summary: "list the changes of the primary, with time and reason as far as they were written down",
    text: [
      "PostgreSQL's timelines, with what the engine wrote down of the same moments: CloudNativePG's events (kept for an hour as a rule),",
      "Patroni's history; and the last end of each container.",
    ],
    on: "platform",
    answers: true,
    json: async () => {
      const [{ report }, { schemaOf }, z] = await Promise.all([
        import("../status/report"),
        import("./schemas"),
        import("zod"),
      ]);
      return { title: "history", schema: schemaOf(z.object({ changes: report.shape.changes })) };
    },
    examples: [{ command: "history", does: "when who began to lead, and why" }],
    run: async (call) => {
      const { readReport } = await import("../status/command");
      const { changeLines } = await import("../status/screen");
      const report = await withPlatformOf(call, (found) => readReport(found));
      const lines = changeLines(report, { width: widthOf(), colour: false });
      return {
        line: lines.length === 0 ? "No change of the primary is known." : lines.join("\n"),
        data: { changes: report.changes },
      };
    },
  },
  {
    name: "pooler show",
    group: "look",
    summary: "show clients, waiting clients and server connections of every pooler's pods in one table",
    text: [
      "By pod, database and role, as PgBouncer's SHOW POOLS has it. Single clients and servers are not listed.",
    ],
    on: "platform",
    answers: true,
    json: async () => {
      const [{ poolsReport }, { schemaOf }] = await Promise.all([import("../pools"), import("./schemas")]);
      return { title: "pooler show", schema: schemaOf(poolsReport) };
    },
    options: [{ flags: "--pooler <name>", meaning: "only this pooler" }],
    examples: [{ command: "pooler show", does: "where clients wait" }],
    run: async (call) => {
      const { poolsLines, poolsOf } = await import("../pools");
      const pools = await withPlatformOf(call, ({ platform }) => poolsOf(platform, text(call, "pooler")));
      return { line: poolsLines(pools, widthOf()).join("\n"), data: { pools } };
    },
  },
  {
    name: "pooler reconnect",
    group: "act",
    summary: "replace the poolers' server connections, as after a change of the schema",
    text: [
      "Each is replaced when its transaction ends; clients notice nothing. Statements that were prepared before the change work again.",
    ],
    on: "platform",
    options: [{ flags: "--pooler <name>", meaning: "only this pooler" }],
    examples: [{ command: "pooler reconnect", does: "after a migration" }],
    run: async (call) => {
      const { reconnectPoolers } = await import("../reconnect");
      const line = await withPlatformOf(call, ({ platform }) =>
        reconnectPoolers(platform, text(call, "pooler")),
      );
      return { line };
    },
  },
  {
    name: "support",
    group: "look",
    summary: "write a bundle for those who help: status, objects, logs, settings, with secrets masked",
    text: [
      "It reads every Secret of the namespace, to take their values out of everything else; values themselves are not in the bundle.",
      "Logs may still name users, databases and statements: look before you send it.",
    ],
    on: "platform",
    options: [
      { flags: "-o, --output <file>", meaning: "where to (default: pgp-support-<cluster>-<time>.tar.gz)" },
    ],
    examples: [{ command: "support", does: "a compressed archive in this folder" }],
    run: async (call) => {
      const { writeBundle } = await import("../support");
      return withPlatformOf(call, async (found) => {
        const { name } = found.platform.settings.cluster;
        const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "");
        const wanted = text(call, "output") ?? `pgp-support-${name}-${stamp}.tar.gz`;
        const file = await call.progress.step("support bundle", (context) =>
          writeBundle(found, wanted, context),
        );
        const line = `The bundle is ${file}.`;
        return { line, data: { command: "support", ok: true, message: line, file } };
      });
    },
  },
];
