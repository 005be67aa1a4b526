import { type CommandSpec, stackOf, text } from "./spec";

const against = (what: string) => ({
  flags: "--against <path>",
  meaning: `${what}: a folder with stack files, or one`,
});
const markdown = { flags: "--markdown", meaning: "as Markdown, for a pull request or a page" };

/** What is read before a change is made. */
export const review: readonly CommandSpec[] = [
  {
    name: "report",
    group: "look",
    summary: "say what each failure means: how long writes pause, what can be lost, and by which setting",
    text: [
      "It also has the sums of connections and memory, how long the WAL volume lasts without its store, and what volumes and stores cost. With",
      "--plan it reads the settings and needs no cluster; where the stack has been made it says what gets better or worse.",
    ],
    on: "stack",
    answers: true,
    json: async () => {
      const [{ reported }, { schemaOf }] = await Promise.all([
        import("../../plan/reliability/compare"),
        import("./schemas"),
      ]);
      return { title: "report", schema: schemaOf(reported) };
    },
    options: [
      { flags: "--plan", meaning: "report on the settings, and not on what the last `up` made" },
      against("compare with other settings, with --plan"),
      markdown,
    ],
    examples: [
      { command: "report --plan --stack prod", does: "what the settings of prod promise, and what changes" },
      { command: "report --plan --against ../main", does: "against the settings of another checkout" },
      { command: "report", does: "what the last `up` made" },
    ],
    run: async (call) => {
      const { showReport } = await import("../report");
      return showReport(stackOf(call), {
        plan: call.options.plan === true,
        against: text(call, "against"),
        markdown: call.options.markdown === true,
      });
    },
  },
  {
    name: "diff",
    group: "look",
    summary: "show what differs from other settings, a line for each field, by what it does to the database",
    text: [
      "Both are planned from nothing, without a cluster and without credentials. Lines are in groups: what is replaced, stops, restarts, pauses,",
      "reloads, and what the running database doesn't notice. Secrets are masked.",
    ],
    on: "stack",
    answers: true,
    json: async () => {
      const [{ reviewed }, { schemaOf }] = await Promise.all([
        import("../../plan/changes/review"),
        import("./schemas"),
      ]);
      return { title: "diff", schema: schemaOf(reviewed) };
    },
    options: [against("the settings before the change"), markdown],
    examples: [
      { command: "diff --stack prod --against ../main", does: "against the settings of another checkout" },
      { command: "diff --against /tmp/Pulumi.local.yaml", does: "against a copy of the stack file" },
    ],
    run: async (call) => {
      const { showDiff } = await import("../diff");
      return showDiff(stackOf(call), {
        against: text(call, "against"),
        markdown: call.options.markdown === true,
      });
    },
  },
];
