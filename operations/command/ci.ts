import { type CommandSpec, stackOf, text } from "./spec";

const against = {
  flags: "--against <place>",
  meaning: "a folder, a stack file or a commit to compare with (default: where this branch left main)",
};

/** What workflows call; each works at a terminal, too. */
export const ci: readonly CommandSpec[] = [
  {
    name: "ci comment",
    group: "more",
    summary: "write the comment of a stack in a pull request: what a change of the tree does to it",
    text: [
      "Two plans are made from nothing, without a cluster and without credentials, each by its own checkout's program where it can. The answer says in",
      "words whether PostgreSQL restarts, what pauses, is replaced and costs, and what policies say; then what differs, field by field.",
    ],
    on: "stack",
    answers: true,
    make: "ci-comment",
    options: [against, { flags: "--file <path>", meaning: "write it into this file, too" }],
    exits: { 1: "the stack would be refused, by a policy or by the check of settings" },
    examples: [
      { command: "ci comment --stack prod", does: "what this branch does to prod" },
      { command: "ci comment --stack prod --against v1.0", does: "what changed since a tag" },
    ],
    run: async (call) => {
      const { writeComment } = await import("../ci/comment");
      return writeComment(stackOf(call), { against: text(call, "against"), file: text(call, "file") });
    },
  },
  {
    name: "ci plan",
    group: "more",
    summary: "write all that a stack's settings make, promise and violate into a file, for another checkout",
    text: ["`pgp ci comment` of another checkout reads it. It has what the stack file has: only you can read it."],
    on: "stack",
    options: [{ flags: "--into <path>", meaning: "the file" }],
    examples: [{ command: "ci plan --stack prod --into /tmp/prod.json", does: "the plan of prod" }],
    run: async (call) => {
      const { writePlan } = await import("../ci/plan");
      const { UserError } = await import("../../shell/userError");
      const into = text(call, "into");
      if (into === undefined)
        throw new UserError(["--into: it isn't given. Allowed: a path. Fix: name the file to write."]);
      return { line: await writePlan(stackOf(call), into) };
    },
  },
  {
    name: "ci stacks",
    group: "more",
    summary: "list the stacks that a change may be about, as a line for a workflow's outputs",
    on: "machine",
    answers: true,
    make: "ci-stacks",
    options: [against],
    examples: [{ command: "ci stacks", does: "those of this checkout, and those whose files go" }],
    run: async (call) => {
      const { stacksOfChange } = await import("../ci/stacks");
      const stacks = await stacksOfChange(text(call, "against"));
      return { line: `stacks=${JSON.stringify(stacks)}`, data: { stacks } };
    },
  },
];
