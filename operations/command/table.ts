import { act } from "./act";
import { backups } from "./backups";
import { ci } from "./ci";
import { evidence } from "./evidence";
import { images } from "./images";
import { look } from "./look";
import { review } from "./review";
import { sessions } from "./sessions";
import { setup } from "./setup";
import { type CommandSpec, groups } from "./spec";

const completion: CommandSpec = {
  name: "completion",
  group: "more",
  summary: "print the completion of a shell: bash, zsh or fish",
  on: "machine",
  answers: true,
  positional: [{ syntax: "<shell>", meaning: "bash, zsh or fish" }],
  examples: [
    { command: "completion bash", does: 'in ~/.bashrc: eval "$(pgp completion bash)"' },
    { command: "completion zsh", does: 'in ~/.zshrc: eval "$(pgp completion zsh)"' },
    { command: "completion fish", does: "in config.fish: pgp completion fish | source" },
  ],
  run: async ({ positional: [shell = ""] }) => {
    const { completionOf } = await import("./completion");
    const line = completionOf(shell, commands).trimEnd();
    return { line, data: { shell, text: line } };
  },
};

const order = Object.keys(groups);

/** Every command, in the order in which help shows them. */
export const commands: readonly CommandSpec[] = [
  ...look,
  ...sessions,
  ...evidence,
  ...review,
  ...images,
  ...act,
  ...backups,
  ...setup,
  ...ci,
  completion,
].sort((one, other) => order.indexOf(one.group) - order.indexOf(other.group));
