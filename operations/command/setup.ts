import { manifestParts } from "../../releases/manifest";
import { type Call, type CommandSpec, type Outcome, stackOf, text } from "./spec";

/** Runs a command that changes what the stack has: one at a time, ended in order. */
async function changing(
  name: string,
  call: Call,
  work: (signal: AbortSignal) => Promise<string>,
): Promise<Outcome> {
  const { session } = await import("../session");
  return { line: await session(name, call.progress, work) };
}

export const setup: readonly CommandSpec[] = [
  {
    name: "up",
    group: "setup",
    summary: "from nothing to a working PostgreSQL: tools, cluster, pulumi up, health check, how to connect",
    on: "stack",
    asks: true,
    make: "up",
    examples: [
      { command: "up", does: "the stack local, on k3d or the built-in cluster" },
      { command: "up --stack prod --context shop-prod", does: "another stack, on a cluster of yours" },
    ],
    run: (call) =>
      changing("up", call, async (signal) =>
        (await import("../up")).up(stackOf(call), call.progress, signal),
      ),
  },
  {
    name: "recover",
    group: "setup",
    summary: "after a restart of the machine or of k3d: bring back what doesn't come back by itself",
    text: [
      "Six steps, each where it is needed, with what it found: the Kubernetes cluster is started; pods that are stuck are deleted, for what made them to make them again; " +
        "PostgreSQL is waited for; a client writes through the pooler, and where it can't the poolers log in again, then start again; pods of applications that wait with " +
        "CrashLoopBackOff are deleted, so that they start at once.",
      "Nothing is made that wasn't there, and no setting is changed: that is `pgp up`. Pods without an owner, and those of Jobs, stay.",
    ],
    on: "stack",
    asks: true,
    make: "recover",
    options: [
      {
        flags: "--install-unit",
        meaning:
          "write a unit of systemd that does this when the machine starts, and enable it, after asking",
      },
      { flags: "--print-unit", meaning: "print that unit, and do nothing" },
    ],
    examples: [
      { command: "recover", does: "after the machine has started" },
      { command: "recover --install-unit", does: "at every start, by systemd" },
    ],
    json: async () => ({ title: "recover", schema: (await import("./schemas")).recoverSchema() }),
    run: async (call) => {
      const stack = stackOf(call);
      if (call.options.printUnit === true) {
        process.stdout.write((await import("../systemdUnit")).ownUnit(stack));
        return { data: { steps: [] } };
      }
      if (call.options.installUnit === true)
        return {
          line: await (await import("../systemdUnit")).installUnit(stack, call.progress),
          data: { steps: [] },
        };
      const { session } = await import("../session");
      const { line, steps } = await session("recover", call.progress, async (signal) =>
        (await import("../recover")).recover(stack, call.progress, signal),
      );
      return { line, data: { message: line, steps } };
    },
  },
  {
    name: "down",
    group: "setup",
    summary: "delete what `up` made, with its data, after asking",
    on: "stack",
    asks: true,
    make: "down",
    examples: [{ command: "down", does: "delete the stack local, and the cluster that `up` made" }],
    run: (call) =>
      changing("down", call, async (signal) =>
        (await import("../down")).down(stackOf(call), call.progress, signal),
      ),
  },
  {
    name: "destroy",
    group: "setup",
    summary: "delete the stack's objects and data, after asking, and leave the cluster",
    on: "stack",
    asks: true,
    make: "destroy",
    examples: [{ command: "destroy --stack dev", does: "delete the stack dev" }],
    run: (call) =>
      changing("destroy", call, async (signal) =>
        (await import("../down")).destroy(stackOf(call), call.progress, signal),
      ),
  },
  {
    name: "preview",
    group: "setup",
    summary:
      "show what `up` would change, drift included; without the stack's cluster, the plan from nothing",
    on: "stack",
    make: "preview",
    options: [
      { flags: "--no-policy", meaning: "don't hold the plan to the policy pack (POLICY=0 does the same)" },
      {
        flags: "--against <place>",
        meaning:
          "compare two plans from nothing, without a cluster: with those of a folder, a stack file or a commit",
      },
    ],
    examples: [
      { command: "preview --stack prod", does: "what the next `up` would do" },
      { command: "preview --stack prod --against main", does: "what this branch does to prod" },
    ],
    run: async (call) => {
      const against = text(call, "against");
      if (against !== undefined) {
        const { showComparison } = await import("../ci/text");
        return showComparison(stackOf(call), against);
      }
      return changing("preview", call, async (signal) => {
        const policies = call.options.policy !== false && process.env.POLICY !== "0";
        const { preview } = await import("../preview");
        return (await preview(stackOf(call), call.progress, { policies }, signal)).line;
      });
    },
  },
  {
    name: "health",
    group: "look",
    summary: "write a row through the pooler, as a client in the cluster does, and read it on a standby",
    on: "stack",
    examples: [{ command: "health", does: "the check that ends `up`" }],
    run: async (call) => {
      const { progress } = call;
      const { runningSubject } = await import("../running");
      const { writeAndRead } = await import("../health");
      const { askStranger } = await import("../stranger");
      const { subject } = await runningSubject(stackOf(call), progress);
      await progress.step("health: a client", (context) => writeAndRead(subject, context));
      const warning = await progress.step("network: a stranger", (context) => askStranger(subject, context));
      if (warning !== undefined) progress.line(warning);
      const { poolers, cluster } = subject.settings;
      const read = cluster.instances > 1 ? " and read on a standby" : "";
      return { line: `A client wrote ${poolers.length > 0 ? "through the pooler" : "directly"}${read}.` };
    },
  },
  {
    name: "monitoring",
    group: "look",
    summary: "open the pages of what the stack has installed to collect and show metrics, until Ctrl-C",
    on: "stack",
    make: "monitoring",
    examples: [{ command: "monitoring", does: "say the addresses of both, and keep them open" }],
    run: async (call) => {
      const { interruptible, InterruptedError } = await import("../session");
      const { runningSubject } = await import("../running");
      const { openPages } = await import("../monitoring");
      try {
        await interruptible(call.progress, async (signal) => {
          const { subject } = await runningSubject(stackOf(call), call.progress);
          await openPages(subject, call.progress, signal);
        });
      } catch (error) {
        // It is how this command ends.
        if (!(error instanceof InterruptedError)) throw error;
      }
      return { line: "The pages are closed." };
    },
  },
  {
    name: "tools",
    group: "setup",
    summary: "make the tools and every operator's manifest available",
    on: "machine",
    make: "tools",
    examples: [{ command: "tools", does: "what `up` does first" }],
    run: async ({ progress }) => {
      const { prepareTools } = await import("../up");
      const folders = await prepareTools(progress, Object.keys(manifestParts));
      return { line: `Tools: ${folders.join(" ") || "all on PATH"}` };
    },
  },
];
