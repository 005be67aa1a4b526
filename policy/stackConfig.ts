import { AnalyzerStackConfigureRequest } from "@pulumi/pulumi/proto/analyzer_pb";

/** What the SDK's generated messages are made of, as far as it is used here. */
interface Message {
  getTagsMap(this: {
    getConfigMap(): { forEach(each: (value: string, key: string) => void): void };
  }): unknown;
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

/** Reads the message's configuration when the SDK reads its tags. */
export function listen(): void {
  const message = AnalyzerStackConfigureRequest.prototype as unknown as Message;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its message below
  const { getTagsMap } = message;
  message.getTagsMap = function () {
    const config: Record<string, string> = {};
    this.getConfigMap().forEach((value, key) => (config[key] = value));
    told = config;
    return getTagsMap.call(this);
  };
}
