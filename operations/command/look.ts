import { levels } from "../../plan/logs/record";
import { Progress } from "../../shell/progress";
import { withPlatformOf } from "./find";
import { type CommandSpec, stackOf, text } from "./spec";

export const look: readonly CommandSpec[] = [
  {
    name: "status",
    group: "look",
    summary: "say on one screen whether writes work, what is wrong, and what to do next",
    text: [
      "It writes a row at the primary and waits 2 s for it: a primary that hangs is not called healthy. It never takes more than 5 s; what",
      "could not be read by then is named. The first line is about writes, then comes what is wrong, the worst first, with the next command",
      "and the page of docs/runbooks that says what to do.",
    ],
    on: "platform",
    answers: true,
    make: "status",
    exits: {
      3: "writes do not work, or whether they do is not known",
      4: "writes work, and something is wrong",
    },
    json: async () => {
      const [{ report }, { schemaOf }] = await Promise.all([import("../status/report"), import("./schemas")]);
      return { title: "status", schema: schemaOf(report) };
    },
    options: [{ flags: "-w, --watch", meaning: "show it again every two seconds, until Ctrl-C" }],
    examples: [
      { command: "status", does: "the stack local" },
      { command: "status --watch", does: "keep looking, while you repair something" },
      { command: "status --namespace shop --cluster main", does: "a platform whose stack is not at hand" },
      { command: "status --json | jq -e .writes.work", does: "whether writes work, for a program" },
    ],
    run: async (call) => {
      const { exitOf, lookOf, readReport, watchStatus } = await import("../status/command");
      const { screen } = await import("../status/screen");
      if (call.options.watch === true && !call.json) {
        await withPlatformOf(call, (found) => watchStatus(found, (lines) => process.stdout.write(lines)));
        return {};
      }
      const [report, found] = await withPlatformOf(
        call,
        async (one) => [await readReport(one, process.uptime()), one] as const,
      );
      if (found.subject !== undefined && report.instances.length === 0 && report.writes.work === false) {
        // Where the cluster is gone and its backups needn't be, that is the sentence.
        const { runningSubject } = await import("../running");
        await runningSubject(stackOf(call), new Progress(() => undefined));
      }
      return { line: screen(report, lookOf(process.stdout)).join("\n"), data: report, exit: exitOf(report) };
    },
  },
  {
    name: "logs",
    group: "look",
    summary: "follow the logs of all instances and poolers, each line with its instance and role",
    on: "platform",
    answers: true,
    jsonLines: true,
    make: "logs",
    json: async () => ({ title: "logs", schema: (await import("./schemas")).logSchema() }),
    options: [
      { flags: "-f, --follow", meaning: "continue with what is logged from now on", fallback: true },
      { flags: "--no-follow", meaning: "only what is there" },
      { flags: "--since <duration>", meaning: "how far back, such as 30s, 10m or 2h", fallback: "10m" },
      { flags: "--level <level>", meaning: "only lines as bad as this", fallback: "debug", choices: levels },
    ],
    examples: [
      { command: "logs", does: "follow everything; Ctrl-C ends it" },
      { command: "logs --no-follow --since 1h --level error", does: "the errors of the last hour" },
      {
        command: "logs --json | jq .message",
        does: "one JSON object a line, with the fields of docs/logs.md",
      },
    ],
    run: async (call) => {
      const { logOptions, showLogs } = await import("../logs");
      const colour = process.stdout.isTTY && (process.env.NO_COLOR ?? "") === "";
      const options = logOptions({
        follow: call.options.follow !== false,
        since: text(call, "since") ?? "10m",
        level: text(call, "level") ?? "debug",
        json: call.json,
        colour,
      });
      return {
        line: await withPlatformOf(call, ({ platform }) => showLogs(platform, options, call.progress)),
      };
    },
  },
];
