import { UserError } from "../../shell/userError";
import type { ActName } from "../../plan/engines/acts";
import type { Wanted } from "../act";
import { withPlatformOf } from "./find";
import {
  type Call,
  type CommandSpec,
  type Example,
  type OptionSpec,
  type Outcome,
  type Positional,
  stackOf,
  text,
} from "./spec";

/** Plans, asks, does, waits. */
async function doing(
  call: Call,
  wanted: Wanted,
  closing: (seconds: number, instance: string) => string,
): Promise<Outcome> {
  const { interruptible } = await import("../session");
  const { perform } = await import("../act");
  const { seconds, scene } = await interruptible(call.progress, (signal) =>
    withPlatformOf(call, (found) => perform(found, wanted, call.progress, signal)),
  );
  const line = closing(Math.round(seconds), scene.instance ?? "");
  return {
    line,
    data: { command: wanted.command, ok: true, message: line, seconds, instance: scene.instance ?? null },
  };
}

interface Simple {
  readonly name: string;
  readonly act: ActName | ((call: Call) => ActName);
  readonly summary: string;
  readonly text: readonly string[];
  readonly positional?: Positional;
  readonly options?: readonly OptionSpec[];
  readonly examples: readonly Example[];
  readonly wanted?: (call: Call) => Partial<Wanted>;
  readonly done: (seconds: number, instance: string) => string;
  /** @default - it asks */
  readonly harmless?: true;
}

const first = ({ positional: [instance] }: Call): Partial<Wanted> => ({ instance });

const simple: readonly Simple[] = [
  {
    name: "switchover",
    act: "switchover",
    summary: "hand the primary's role to a standby; nothing is lost",
    text: [
      "It refuses where the primary doesn't answer or the standby doesn't stream: `pgp failover` is for that. Sessions of the primary end;",
      "clients of a pooler keep theirs, apart from running transactions.",
    ],
    options: [
      { flags: "--to <instance>", meaning: "the standby that is to lead (default: the one that has most)" },
    ],
    examples: [
      { command: "switchover", does: "before a node goes down for maintenance" },
      { command: "switchover --to main-2 --yes", does: "to this standby, without a question" },
    ],
    wanted: (call) => ({ instance: text(call, "to") }),
    done: (seconds, instance) =>
      `${instance} leads, and a row was written there ${seconds} s after the beginning.`,
  },
  {
    name: "failover",
    act: "failover",
    summary: "promote a standby although the primary can't hand over; says what may be lost",
    text: [
      "The engines fail over by themselves; this is for a primary that neither works nor is found dead. What no standby has is lost: the plan",
      "says how much that is, as far as it can be seen.",
    ],
    options: [
      { flags: "--to <instance>", meaning: "the standby that is to lead (default: the one that has most)" },
    ],
    examples: [{ command: "failover", does: "where `pgp status` says that the primary hangs" }],
    wanted: (call) => ({ instance: text(call, "to") }),
    done: (seconds, instance) =>
      `${instance} leads, and a row was written there ${seconds} s after the beginning.`,
  },
  {
    name: "restart",
    act: (call) => (call.options.rolling === true ? "restartAll" : "restart"),
    summary: "restart PostgreSQL of one instance, or with --rolling of all, one after another",
    text: ["Without a name it is the primary's. Parameters that wait for a restart take effect."],
    positional: { syntax: "[instance]", meaning: "the instance (default: the primary)" },
    options: [{ flags: "--rolling", meaning: "all instances, the standbys first" }],
    examples: [
      { command: "restart --rolling", does: "when parameters wait for a restart" },
      { command: "restart main-2", does: "one standby" },
    ],
    wanted: first,
    done: (seconds, instance) =>
      `${instance === "" ? "Every instance" : instance} was restarted, and a row was written ${seconds} s after the beginning.`,
  },
  {
    name: "reload",
    act: "reload",
    harmless: true,
    summary: "have every instance read its configuration and certificates again; nothing is interrupted",
    text: [],
    examples: [{ command: "reload", does: "after a change of a mounted file" }],
    done: () => "The instances read their configuration again.",
  },
  {
    name: "reinit",
    act: "reinit",
    summary: "delete a standby's data and have it copied again",
    text: ["For a standby that can't follow any more: its WAL is gone, or its data are damaged."],
    positional: { syntax: "<standby>", meaning: "the instance whose data are deleted" },
    examples: [{ command: "reinit main-3", does: "where `pgp status` says that main-3 does not stream" }],
    wanted: first,
    done: (seconds, instance) =>
      `${instance} was copied again, and streams, ${seconds} s after the beginning.`,
  },
  {
    name: "fence",
    act: "fence",
    summary: "stop PostgreSQL of one instance and keep it down, with its data as they are",
    text: ["To look at damaged data, or to keep an instance from leading. CloudNativePG alone can."],
    positional: { syntax: "<instance>", meaning: "the instance" },
    examples: [{ command: "fence main-3", does: "until `pgp unfence main-3`" }],
    wanted: first,
    done: (_, instance) => `${instance} is fenced; \`pgp unfence ${instance}\` ends it.`,
  },
  {
    name: "unfence",
    act: "unfence",
    harmless: true,
    summary: "let PostgreSQL of fenced instances start again",
    text: [],
    positional: { syntax: "[instance]", meaning: "the instance (default: all that are fenced)" },
    examples: [{ command: "unfence", does: "every fenced instance" }],
    wanted: first,
    done: (seconds) => `No instance is kept down, and a row was written ${seconds} s after the beginning.`,
  },
  {
    name: "hibernate",
    act: "hibernate",
    summary: "stop every instance and keep the volumes",
    text: [
      "Programs can't connect until `pgp wake`. Scheduled backups fail meanwhile, and PostgreSQLDown pages all along.",
      "Silence it before: `amtool silence add namespace=postgres cluster=main --duration=60h --comment=hibernated`.",
    ],
    examples: [{ command: "hibernate", does: "a test platform over the weekend" }],
    done: () => "No instance runs; the volumes are kept. `pgp wake` starts them.",
  },
  {
    name: "wake",
    act: "wake",
    harmless: true,
    summary: "start the instances of a hibernated platform",
    text: [],
    examples: [{ command: "wake", does: "what `pgp hibernate` stopped" }],
    done: (seconds) => `The instances run, and a row was written ${seconds} s after the beginning.`,
  },
  {
    name: "scale",
    act: "scale",
    summary: "change how many instances there are, until the next `pgp up`",
    text: ["The stack file stays as it is: set cluster.instances there, too."],
    positional: { syntax: "<instances>", meaning: "how many there are to be" },
    examples: [{ command: "scale 4", does: "one more standby, for an hour" }],
    wanted: ({ positional: [count = ""] }) => {
      if (!/^[1-9]\d?$/.test(count))
        throw new UserError([
          `instances: "${count}" is not allowed. Allowed: a whole number from 1 to 99. Fix: write one; \`pgp hibernate\` stops all.`,
        ]);
      return { instances: Number(count) };
    },
    done: (seconds) => `As many instances are ready as were asked for, ${seconds} s after the beginning.`,
  },
];

const drain: CommandSpec = {
  name: "drain",
  group: "act",
  summary: "empty a node for maintenance: the primary's role leaves it first, then its pods",
  text: [
    "Clients of poolers wait through the switchover, as with `pgp switchover`; `kubectl drain` alone has the operator do it, and they get errors.",
    "Other platforms' pods on the node are evicted, too. Afterwards: `kubectl uncordon`.",
  ],
  on: "platform",
  asks: true,
  positional: [{ syntax: "<node>", meaning: "the node" }],
  examples: [{ command: "drain n1", does: "before the machine is restarted" }],
  run: async (call) => {
    const [node = ""] = call.positional;
    const { interruptible } = await import("../session");
    const { drain: empty } = await import("../drain");
    const { seconds, again } = await interruptible(call.progress, (signal) =>
      withPlatformOf(call, async (found) => ({
        seconds: await empty(found, node, call.progress, signal),
        again: found.platform.kubectl.line(`uncordon ${node}`),
      })),
    );
    const line = `${node} is empty, and a row was written, ${Math.round(seconds)} s after the beginning. \`${again}\` lets pods in again.`;
    return { line, data: { command: "drain", ok: true, message: line, seconds, node } };
  },
};

const acts: readonly CommandSpec[] = simple.map(
  ({
    name,
    act: named,
    summary,
    text: sentences,
    positional,
    options,
    examples,
    wanted,
    done,
    harmless,
  }) => ({
    name,
    group: "act",
    summary,
    text: sentences,
    on: "platform",
    ...(harmless !== true && { asks: true }),
    ...(positional && { positional: [positional] }),
    ...(options && { options }),
    examples,
    run: (call) =>
      doing(
        call,
        { act: typeof named === "string" ? named : named(call), command: name, ...wanted?.(call) },
        done,
      ),
  }),
);

const upgrade: CommandSpec = {
  name: "upgrade minor",
  group: "act",
  summary: "roll the instances to another image of the same major version, with a way back",
  text: [
    "Without --image: to the one that the settings name, which is this release's where they name none. With it, images.postgresql of the stack file is changed, and the next " +
      "`pgp up` keeps it. An older minor version is a way back as PostgreSQL allows it: read the release notes of those between.",
  ],
  on: "stack",
  asks: true,
  options: [
    { flags: "--image <image>", meaning: "image of PostgreSQL, whose tag begins with the major version" },
  ],
  examples: [
    { command: "upgrade minor", does: "to the minor version of this release" },
    {
      command: "upgrade minor --image registry.example.com/postgresql:17.11",
      does: "to an image of yours",
    },
  ],
  run: async (call) => {
    const { session } = await import("../session");
    const { upgradeMinor } = await import("../upgradeMinor");
    return {
      line: await session("upgrade minor", call.progress, (signal) =>
        upgradeMinor(stackOf(call), text(call, "image"), call.progress, signal),
      ),
    };
  },
};

export const act: readonly CommandSpec[] = [...acts, drain, upgrade];
