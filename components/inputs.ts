import * as pulumi from "@pulumi/pulumi";
import { check, sentence } from "../checks/index";
import type { Settings } from "../settings/schema";
import { UserError } from "../shell/userError";
import { isRecord } from "../settings/record";
import { withTokens } from "./tokens";

/** A setting that the cloud decides, and the text that stands for it while the platform is planned. */
interface Open {
  /** Path of the setting; `*` stands for an index. */
  readonly path: string;
  /** A text that passes for the setting's form, and that nothing else contains. */
  readonly standIn: (number: number) => string;
  /** Whether it is read by the component that needs it alone, so that no object shows it. */
  readonly secret?: true;
}

// Of one length: none is a part of another.
const name = (number: number) => `unresolved-b59f1c-${String(number).padStart(4, "0")}`;

/** Everything else is plain: checks, plans and policies must see it. */
const open: readonly Open[] = [
  { path: "cluster.namespace", standIn: name },
  { path: "backup.targets.*.bucket", standIn: name },
  {
    path: "backup.targets.*.account",
    standIn: (number) => `b59f1cb59f1c${String(number).padStart(20, "0")}`,
  },
  { path: "backup.targets.*.credentials.accessKeyId", standIn: name, secret: true },
  { path: "backup.targets.*.credentials.secretAccessKey", standIn: name, secret: true },
  { path: "secrets.credentials.accessKeyId", standIn: name, secret: true },
  { path: "secrets.credentials.secretAccessKey", standIn: name, secret: true },
  { path: "registries.*.password", standIn: name, secret: true },
  ...["bearerToken", "password", "webhookUrl", "routingKey"].map((secret) => ({
    path: `monitoring.install.receivers.*.${secret}`,
    standIn: name,
    secret: true as const,
  })),
  { path: "restore.archiveId", standIn: (number) => String(number).padStart(10, "b") },
];

const promised = (value: unknown): value is pulumi.Output<unknown> | Promise<unknown> =>
  pulumi.Output.isInstance(value) || value instanceof Promise;

/** Outputs among a component's arguments: texts stand for them in the plan, and the resources get the values. */
export class Inputs {
  /** The arguments as plain data. */
  readonly plain: unknown;
  /** A sentence for each output where a plain value is needed. */
  readonly problems: readonly string[];

  constructor(args: unknown) {
    const problems: string[] = [];
    this.plain = this.taken(args, "", "", problems);
    this.problems = problems;
  }

  private readonly visible = new Map<string, pulumi.Output<string>>();
  private readonly hidden = new Map<string, pulumi.Output<string>>();
  /** Of each output, the texts by the patterns of the settings that have it. */
  private readonly texts = new Map<unknown, Record<string, string>>();
  private count = 0;

  private taken(value: unknown, path: string, pattern: string, problems: string[]): unknown {
    const below = (key: string, inner: unknown) =>
      [path === "" ? key : `${path}.${key}`, pattern === "" ? key : `${pattern}.${key}`, inner] as const;
    if (promised(value)) {
      const found = open.find((one) => one.path === pattern);
      if (found === undefined) {
        problems.push(
          `${path} must not be an output: the checks and policies have to see it. ` +
            `Allowed: a plain value (outputs are taken for ${open.map((one) => one.path).join(", ")}). Fix: give it as it is.`,
        );
        return undefined;
      }
      const held = found.secret ? this.hidden : this.visible;
      // One output has one text, so that the checks see that two settings are the same.
      const known = this.texts.get(value) ?? {};
      const text = (known[pattern] ??= found.standIn(++this.count));
      this.texts.set(value, known);
      held.set(text, pulumi.output(value) as pulumi.Output<string>);
      return text;
    }
    if (Array.isArray(value))
      return value.map((inner: unknown, index) =>
        this.taken(inner, `${path}[${index}]`, `${pattern}.*`, problems),
      );
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([key, inner]) => {
          const [innerPath, innerPattern] = below(key, inner);
          return [key, this.taken(inner, innerPath, innerPattern, problems)];
        }),
    );
  }

  /** The value of a setting that a component reads by itself. */
  readonly value = (text: string): pulumi.Output<string> =>
    this.hidden.get(text) ?? this.visible.get(text) ?? pulumi.output(text);

  /** A text with the values in it. */
  readonly filled = (text: string): pulumi.Output<string> =>
    pulumi.output(withTokens(text, this.visible)) as pulumi.Output<string>;

  /** The settings of the arguments, checked; throws every sentence at once, of outputs too, and of what `more` finds. */
  settings(raw: unknown = this.plain, more: (settings: Settings) => readonly string[] = () => []): Settings {
    const checked = check(raw);
    const problems = [
      ...this.problems,
      ...("problems" in checked ? checked.problems.map(sentence) : more(checked.settings)),
    ];
    if (!("settings" in checked) || problems.length > 0) throw new UserError(problems);
    return checked.settings;
  }

  /** Puts the values into everything that is registered below a resource. */
  get transformations(): pulumi.ResourceTransformation[] {
    if (this.visible.size === 0) return [];
    return [
      ({ props, opts }) => ({
        props: withTokens(props, this.visible) as pulumi.Inputs,
        opts:
          "id" in opts && opts.id !== undefined
            ? { ...opts, id: withTokens(opts.id, this.visible) as pulumi.Input<string> }
            : opts,
      }),
    ];
  }
}
