import { UserError } from "../../shell/userError";
import { type CommandSpec, stackOf, text } from "./spec";

const target = {
  flags: "-t, --target <name>",
  meaning: "backup target",
} as const;
const archiveId = {
  flags: "-a, --archive-id <id>",
  meaning: "which archive of the target, as `backups` lists them",
} as const;

export const backups: readonly CommandSpec[] = [
  {
    name: "backup",
    group: "backups",
    summary: "make a base backup now, beside the scheduled ones",
    on: "stack",
    make: "backup",
    examples: [{ command: "backup", does: "before a risky change" }],
    run: async (call) => {
      const { runningSubject } = await import("../running");
      const { backUp } = await import("../backup");
      const { subject } = await runningSubject(stackOf(call), call.progress);
      const name = await call.progress.step("base backup", (context) => backUp(subject, context));
      return {
        line: `The base backup ${name} is made.`,
        data: { command: "backup", ok: true, backup: name, message: `The base backup ${name} is made.` },
      };
    },
  },
  {
    name: "backups",
    group: "backups",
    summary: "list the base backups in every target, of every archive",
    on: "stack",
    make: "backups",
    json: async () => ({
      title: "backups",
      schema: (await import("./schemas")).backupsSchema(),
    }),
    exits: { 3: "a target, or an archive of one, can't be read: the list isn't whole" },
    examples: [
      { command: "backups", does: "archives, base backups, dumps, and what their verification came to" },
    ],
    run: async (call) => {
      const { runningSubject } = await import("../running");
      const { listed, rowLine, summaryOf } = await import("../targets");
      const { subject } = await runningSubject(stackOf(call), call.progress);
      const rows = await listed(subject);
      if (!call.json) rows.forEach((row) => call.progress.line(`  ${rowLine(row)}`));
      return { ...summaryOf(rows), data: { rows } };
    },
  },
  {
    name: "verify",
    group: "backups",
    summary: "restore the newest backup beside everything else, and check that it is complete",
    on: "stack",
    make: "verify",
    options: [
      { ...target, meaning: "only this target (default: all)" },
      {
        flags: "--time <time>",
        meaning: "restore up to this moment, such as 2026-01-31T23:59:00Z (default: all that was archived)",
      },
    ],
    examples: [{ command: "verify --target far", does: "whether the far target could bring the data back" }],
    run: async (call) => {
      const { interruptible } = await import("../session");
      const { runningSubject } = await import("../running");
      const { verify } = await import("../verify");
      const { progress } = call;
      return interruptible(progress, async (signal) => {
        const { subject } = await runningSubject(stackOf(call), progress);
        const targets = subject.settings.backup?.targets.map(({ name }) => name) ?? [];
        const only = text(call, "target");
        const verdicts: string[] = [];
        for (const one of only === undefined ? targets : [only])
          await progress.step(`restore from ${one}`, async (context) => {
            verdicts.push(await verify(subject, one, text(call, "time"), context, signal));
          });
        if (verdicts.length === 0)
          throw new UserError(["pgplatform:backup is not set: nothing can be restored."]);
        return { line: `${verdicts.join("; ")}.` };
      });
    },
  },
  {
    name: "restore",
    group: "backups",
    summary: "show what a restore brings back, and make the cluster out of it after asking",
    on: "stack",
    asks: true,
    make: "restore",
    options: [
      { ...target, meaning: "backup target to restore from (default: the setting restore)" },
      archiveId,
      {
        flags: "--from <namespace/name>",
        meaning: "the cluster that was backed up, when its name was another",
      },
      {
        flags: "--time <time>",
        meaning: "go back to this moment, such as 2026-01-31T23:59:00Z (default: all that was archived)",
      },
      { flags: "--lsn <lsn>", meaning: "go back to this LSN" },
      { flags: "--point <name>", meaning: "go back to this restore point" },
    ],
    examples: [
      { command: "restore --target near", does: "list what could be restored; nothing is made" },
      {
        command: "restore --target near --archive-id 3f2a90b1c4 --time 2026-01-31T23:59:00Z",
        does: "the data of that moment",
      },
    ],
    run: async (call) => {
      const { session } = await import("../session");
      const { restore } = await import("../restore");
      const wanted = Object.fromEntries(
        (
          [
            ["target", "target"],
            ["archiveId", "archiveId"],
            ["from", "from"],
            ["time", "time"],
            ["lsn", "lsn"],
            ["name", "point"],
          ] as const
        ).flatMap(([key, option]) => {
          const value = text(call, option);
          return value === undefined ? [] : [[key, value]];
        }),
      );
      const line = await session("restore", call.progress, (signal) =>
        restore(stackOf(call), wanted, call.progress, signal),
      );
      return { line };
    },
  },
  {
    name: "forget",
    group: "backups",
    summary: "delete an archive that has ended from a target, after asking",
    on: "stack",
    asks: true,
    make: "forget",
    options: [{ ...target, meaning: "backup target to delete from" }, archiveId],
    examples: [
      {
        command: "forget --target near --archive-id 3f2a90b1c4",
        does: "delete what is left of a former cluster",
      },
    ],
    run: async (call) => {
      const { interruptible } = await import("../session");
      const { runningSubject } = await import("../running");
      const { forget } = await import("../forget");
      const line = await interruptible(call.progress, async (signal) => {
        const { subject } = await runningSubject(stackOf(call), call.progress, signal);
        return forget(subject, text(call, "target"), text(call, "archiveId"), call.progress);
      });
      return { line };
    },
  },
];
