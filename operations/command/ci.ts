import { type CommandSpec, stackOf, text } from "./spec";

const against = {
  flags: "--against <place>",
  meaning: "a folder, a stack file or a commit to compare with (default: where this branch left main)",
};

const issue = { flags: "--file <path>", meaning: "write the text of an issue into this file, too" };

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
    text: [
      "`pgp ci comment` of another checkout reads it. It has what the stack file has: only you can read it.",
    ],
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
  {
    name: "ci drift",
    group: "more",
    summary: "say whether what runs is what the stack file says",
    text: ["It is a preview with a refreshed state, without policies; nothing is changed."],
    on: "stack",
    make: "ci-drift",
    options: [issue],
    exits: { 5: "something differs" },
    examples: [{ command: "ci drift --stack prod", does: "what was changed by hand, or isn't applied" }],
    run: async (call) => {
      const { session } = await import("../session");
      const { lookForDrift } = await import("../ci/drift");
      return session("preview", call.progress, (signal) =>
        lookForDrift(stackOf(call), text(call, "file"), call.progress, signal),
      );
    },
  },
  {
    name: "ci waivers",
    group: "more",
    summary: "say which waivers of policies end within 14 days, of every stack file",
    on: "machine",
    answers: true,
    make: "ci-waivers",
    options: [issue],
    exits: { 5: "a waiver ends soon, or holds for nothing" },
    examples: [{ command: "ci waivers", does: "those of every stack file" }],
    run: async (call) => {
      const { lookForWaivers } = await import("../ci/waivers");
      return lookForWaivers(text(call, "file"));
    },
  },
  {
    name: "ci post",
    group: "more",
    summary: "post what the other commands have written: a comment, or an issue, for each stack",
    text: [
      "An earlier one of the same subject is edited in its place. Of a workflow it takes GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN.",
    ],
    on: "machine",
    make: "ci-post",
    options: [
      { flags: "--folder <path>", meaning: "where the texts are", fallback: "comments" },
      { flags: "--pull-request <number>", meaning: "the pull request to comment (default: issues are made)" },
    ],
    examples: [{ command: "ci post --folder comments --pull-request 7", does: "a comment for each stack" }],
    run: async (call) => {
      const { placeIn, postAll } = await import("../ci/post");
      const place = placeIn(process.env, text(call, "pullRequest"));
      const said = await postAll(text(call, "folder") ?? "comments", place);
      said.forEach((one) => call.progress.line(`  ${one}`));
      return { line: `${said.length} texts.` };
    },
  },
  {
    name: "ci providers",
    group: "more",
    summary: "install the providers of a stack's buckets, which `make` doesn't fetch",
    on: "stack",
    make: "ci-providers",
    examples: [
      { command: "ci providers --stack prod", does: "Cloudflare's, at the version of package.json" },
    ],
    run: async (call) => {
      const { installProviders } = await import("../ci/providers");
      return { line: await installProviders(stackOf(call), call.progress) };
    },
  },
];
