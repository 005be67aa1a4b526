import { levels } from "../../plan/logs/record";
import { type Call, type CommandSpec, stackOf, text } from "./spec";

/** The platform that a call is about. */
export const platformOf = async (call: Call) => {
  const { findPlatform } = await import("../find");
  return findPlatform({
    stack: stackOf(call),
    namespace: text(call, "namespace"),
    cluster: text(call, "cluster"),
  });
};

export const look: readonly CommandSpec[] = [
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
      { command: "logs --json | jq .message", does: "one JSON object a line, with the fields of docs/logs.md" },
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
      const { platform } = await platformOf(call);
      return { line: await showLogs(platform, options, call.progress) };
    },
  },
];
