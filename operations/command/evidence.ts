import { writeFile } from "node:fs/promises";
import { UserError } from "../../shell/userError";
import { withPlatformOf } from "./find";
import { type Call, type CommandSpec, text } from "./spec";

/** How long writes may pause: the seed's own bound. */
const BOUND_SECONDS = 30;

function boundOf(call: Call): number {
  const given = text(call, "bound");
  if (given === undefined) return BOUND_SECONDS;
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given);
  throw new UserError([
    `--bound: "${given}" is not allowed. Allowed: whole seconds from 1 to 9999. Fix: write a number, or leave it out.`,
  ]);
}

/** Commands that give evidence. */
export const evidence: readonly CommandSpec[] = [
  {
    name: "validate",
    group: "look",
    summary: "hold a running platform to the seed's thirteen checks and to further ones",
    text: [
      "Without --no-disruption it deletes the primary's pod by force, after asking, and sees that writes work again in time; it leaves that out",
      "where another check has failed. Each failed check names the next command. A client and a stranger in the cluster try what they may and",
      "may not reach; without the stack at hand these are left out.",
    ],
    on: "platform",
    asks: true,
    exits: { 3: "a check failed" },
    json: async () => {
      const [{ validation }, { schemaOf }] = await Promise.all([
        import("../validate/results"),
        import("./schemas"),
      ]);
      return { title: "validate", schema: schemaOf(validation) };
    },
    options: [
      { flags: "--no-disruption", meaning: "leave the failover out" },
      { flags: "--bound <seconds>", meaning: "how long writes may pause in the failover", fallback: "30" },
      { flags: "--junit <file>", meaning: "write the results for a CI that shows tests" },
      { flags: "--markdown <file>", meaning: "write the results as a table" },
    ],
    examples: [
      { command: "validate --no-disruption", does: "look, and interrupt nothing" },
      { command: "validate --yes --junit results.xml", does: "in a CI, on a platform that it has made" },
    ],
    run: async (call) => {
      const { validate } = await import("../validate/command");
      const { junit, markdown, resultLines } = await import("../validate/results");
      const { interruptible } = await import("../session");
      const options = { disruption: call.options.disruption !== false, boundSeconds: boundOf(call) };
      const results = await interruptible(call.progress, (signal) =>
        withPlatformOf(call, (found) => validate(found, options, call.progress, signal)),
      );
      for (const [file, written] of [
        [text(call, "junit"), junit],
        [text(call, "markdown"), markdown],
      ] as const)
        if (file !== undefined) await writeFile(file, written(results));
      resultLines(results).forEach((line) => call.progress.line(line));
      const skipped = results.checks.filter(({ result }) => result === "skipped").length;
      return {
        line: `${results.checks.length - skipped - results.failed} checks passed, ${results.failed} failed, ${skipped} were left out.`,
        data: results,
        exit: results.failed > 0 ? 3 : 0,
      };
    },
  },
  {
    name: "drill",
    group: "act",
    summary: "cause faults while two clients write, and give evidence of what they waited and lost",
    text: [
      "A client through the pooler and one past it write rows all the time. After each fault the platform must be well again by itself; the longest pause, failed writes and what " +
        "was acknowledged and isn't there any more are counted. It refuses a stack of the tier prod without --i-know.",
    ],
    on: "platform",
    asks: true,
    exits: { 3: "a pause was longer than allowed, or a row is lost" },
    json: async () => {
      const [{ drill }, { schemaOf }] = await Promise.all([import("../drill/page"), import("./schemas")]);
      return { title: "drill", schema: schemaOf(drill) };
    },
    options: [
      {
        flags: "--faults <names>",
        meaning:
          "some of pod, postmaster, switchover, standby and pooler, with commas between (default: all)",
      },
      { flags: "--bound <seconds>", meaning: "how long writes may pause", fallback: "30" },
      { flags: "--html <file>", meaning: "write one page of evidence, with plots" },
      { flags: "--markdown <file>", meaning: "write the same as a table" },
      { flags: "--i-know", meaning: "also on a stack of the tier prod" },
    ],
    examples: [
      { command: "drill --faults pod,pooler", does: "two faults, one after the other" },
      { command: "drill --yes --html evidence.html", does: "all, and a page of what came of it" },
    ],
    run: async (call) => {
      const { runDrill } = await import("../drill/run");
      const { drillLines, markdown, page } = await import("../drill/page");
      const { interruptible } = await import("../session");
      const faults = text(call, "faults")
        ?.split(",")
        .map((one) => one.trim());
      const options = {
        ...(faults && { faults }),
        boundSeconds: boundOf(call),
        knows: call.options.iKnow === true,
      };
      const came = await interruptible(call.progress, (signal) =>
        withPlatformOf(call, (found) => runDrill(found, options, call.progress, signal)),
      );
      for (const [file, written] of [
        [text(call, "html"), page],
        [text(call, "markdown"), markdown],
      ] as const)
        if (file !== undefined) await writeFile(file, written(came));
      drillLines(came).forEach((line) => call.progress.line(line));
      return {
        line: `${came.drills.filter(({ result }) => result === "passed").length} faults passed, ${came.failed} failed.`,
        data: came,
        exit: came.failed > 0 ? 3 : 0,
      };
    },
  },
  {
    name: "export",
    group: "backups",
    summary: "dump every database, the roles without passwords, and the settings, for a move",
    text: [
      "pg_dump in the primary's pod, as the superuser: each dump is of one moment, and its list of contents is read again. It is no backup:",
      "it can't go back to a moment, and it takes the primary's time.",
    ],
    on: "platform",
    options: [{ flags: "-o, --output <folder>", meaning: "where to (default: pgp-export-<cluster>)" }],
    examples: [{ command: "export --output /var/tmp/shop", does: "before a move to another platform" }],
    run: async (call) => {
      const { exportTo } = await import("../export");
      const { interruptible } = await import("../session");
      const exported = await interruptible(call.progress, (signal) =>
        withPlatformOf(call, (found) => {
          const folder = text(call, "output") ?? `pgp-export-${found.platform.settings.cluster.name}`;
          return call.progress.step("export", (context) => exportTo(found, folder, context, signal));
        }),
      );
      const line = `${exported.databases.length} databases are in ${exported.folder}.`;
      return { line, data: { command: "export", ok: true, message: line, ...exported } };
    },
  },
];
