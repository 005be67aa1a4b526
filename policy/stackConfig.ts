import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { AnalyzerStackConfigureRequest, ConfigureAnalyzerRequest } from "@pulumi/pulumi/proto/analyzer_pb";
import type { PackConfig } from "./options";

/** What the SDK's generated messages are made of, as far as it is used here. */
interface Message {
  getTagsMap(this: {
    getConfigMap(): { forEach(each: (value: string, key: string) => void): void };
    getStack(): string;
    getProject(): string;
    getOrganization(): string;
  }): unknown;
}

/** The message with the pack's own configuration. */
interface Configured {
  getPolicyconfigMap(): Policies;
}
interface Policies {
  forEach(
    each: (
      value: { getProperties(): { toJavaScript(): Record<string, unknown> } | undefined },
      key: string,
    ) => void,
  ): void;
}

let configured: Policies | undefined;

/** What the pack was configured with, as Pulumi's engine made it of the tier's levels, of defaults and of the user's file. */
export function packConfig(): PackConfig {
  const given: Record<string, Record<string, unknown>> = {};
  configured?.forEach((value, key) => (given[key] = value.getProperties()?.toJavaScript() ?? {}));
  return given;
}

let told: Readonly<Record<string, string>> = {};

/**
 * The configuration of the stack that is judged. Pulumi's engine hands it to packs by a message of which the SDK (1.20) reads the tags alone, and to
 * packs that no language host starts in the environment. It comes before the engine asks for the pack's levels.
 */
export const stackConfig = (): Readonly<Record<string, string>> =>
  process.env.PULUMI_CONFIG === undefined
    ? told
    : (JSON.parse(process.env.PULUMI_CONFIG) as Record<string, string>);

/** A resource in a stack's state, as far as it is used here. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly inputs?: object;
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
}

/** The state before the update, or why it can't be read. */
export type State = { readonly resources: readonly StateResource[] } | { readonly why: string };

/** States of large stacks, in bytes. */
const LARGEST = 1 << 30;

let state: Promise<State> | undefined;

/** The stack's state as it is before the update; undefined where nothing asked for it. */
export const stackState = (): Promise<State> | undefined => state;

/** The analyzers' protocol tells nothing of the state: Pulumi's own command reads it. */
async function exported(stack: string): Promise<State> {
  try {
    const { stdout } = await promisify(execFile)(
      "pulumi",
      ["stack", "export", "--stack", stack, "--non-interactive"],
      { maxBuffer: LARGEST },
    );
    const { deployment } = JSON.parse(stdout) as { deployment?: { resources?: StateResource[] } };
    return { resources: deployment?.resources ?? [] };
  } catch (error) {
    const { stderr = "", message } = error as { stderr?: string; message: string };
    return { why: (stderr.trim() || message).split("\n")[0] ?? "" };
  }
}

/**
 * Reads the message's configuration when the SDK reads its tags, and begins to read the state of a stack with the platform's settings. The pack's own
 * configuration is kept as the SDK gets it, since a policy is told only of what is under its name.
 */
export function listen(): void {
  const message = AnalyzerStackConfigureRequest.prototype as unknown as Message;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its message below
  const { getTagsMap } = message;
  message.getTagsMap = function () {
    const config: Record<string, string> = {};
    this.getConfigMap().forEach((value, key) => (config[key] = value));
    told = config;
    if (Object.keys(config).some((key) => key.startsWith("pgplatform:")))
      state = exported(
        [this.getOrganization(), this.getProject(), this.getStack()].filter(Boolean).join("/"),
      );
    return getTagsMap.call(this);
  };
  const configure = ConfigureAnalyzerRequest.prototype as unknown as Configured;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its message below
  const { getPolicyconfigMap } = configure;
  configure.getPolicyconfigMap = function (this: Configured) {
    return (configured = getPolicyconfigMap.call(this));
  };
}
