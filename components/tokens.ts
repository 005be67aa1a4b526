import * as pulumi from "@pulumi/pulumi";
import { isRecord } from "../settings/record";

/** Texts that stand in plans for what is known when a program runs, and the outputs that know it. */
export type Tokens = ReadonlyMap<string, pulumi.Output<string>>;

/** The value with outputs in the place of the tokens in its texts; the rest stays known at a preview. */
export function withTokens(value: unknown, tokens: Tokens): unknown {
  if (typeof value === "string") {
    const found = [...tokens].filter(([token]) => value.includes(token));
    if (found.length === 0) return value;
    return pulumi
      .all(found.map(([, output]) => output))
      .apply((texts) =>
        found.reduce((whole, [token], index) => whole.replaceAll(token, texts[index] ?? ""), value),
      );
  }
  if (pulumi.Output.isInstance(value)) return value.apply((inner: unknown) => withTokens(inner, tokens));
  if (Array.isArray(value)) return value.map((inner) => withTokens(inner, tokens));
  if (!isRecord(value) || !isLiteral(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withTokens(inner, tokens)]));
}

/** Resources and assets have a class. */
const isLiteral = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype;
