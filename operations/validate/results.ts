import * as z from "zod";
import type { Check, Outcome } from "./check";

/** What a validation came to, as text, JSON, JUnit and Markdown; pure. */

const one = z.object({
  id: z.string(),
  title: z.string(),
  seed: z.number().optional().describe("number in the seed's list of thirteen"),
  result: z.enum(["passed", "failed", "skipped"]),
  says: z.string().describe("what was seen"),
  next: z.string().optional().describe("the next command, where it failed"),
});

export const validation = z
  .object({
    at: z.string(),
    namespace: z.string(),
    cluster: z.string(),
    engine: z.string(),
    checks: z.array(one),
    failed: z.number(),
  })
  .meta({ title: "Validation" });

export type Validation = z.infer<typeof validation>;
export type Result = Validation["checks"][number];

export const resultOf = (
  { id, title, seed, next }: Omit<Check, "look">,
  { passed, says }: Outcome,
): Result => ({
  id,
  title,
  ...(seed !== undefined && { seed }),
  result: passed === undefined ? "skipped" : passed ? "passed" : "failed",
  says,
  ...(passed === false && { next }),
});

const marks = { passed: "ok  ", failed: "FAIL", skipped: "-   " } as const;

export const resultLines = ({ checks }: Validation): string[] =>
  checks.flatMap(({ id, title, seed, result, says, next }) => [
    `${marks[result]} ${id.padEnd(13)} ${seed === undefined ? "" : `(${seed}) `}${title}${says === "" ? "" : `: ${says}`}`,
    ...(next === undefined ? [] : [`     next: ${next}`]),
  ]);

const xml = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    // Control characters aren't allowed in XML.
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "?");

/** For a CI that shows tests. */
export function junit({ checks, namespace, cluster, failed, at }: Validation): string {
  const skipped = checks.filter(({ result }) => result === "skipped").length;
  const cases = checks.map(({ id, title, result, says, next }) => {
    const open = `    <testcase classname="pgp.validate" name="${xml(`${id}: ${title}`)}"`;
    if (result === "passed") return `${open}/>`;
    const inner =
      result === "skipped"
        ? `<skipped message="${xml(says)}"/>`
        : `<failure message="${xml(says)}">next: ${xml(next ?? "")}</failure>`;
    return `${open}>\n      ${inner}\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${checks.length}" failures="${failed}" skipped="${skipped}">`,
    `  <testsuite name="${xml(`${namespace}/${cluster}`)}" tests="${checks.length}" failures="${failed}" skipped="${skipped}" timestamp="${xml(at)}">`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

export const markdown = ({ checks, namespace, cluster, engine, at, failed }: Validation): string =>
  [
    `# Validation of ${namespace}/${cluster}`,
    "",
    `${engine}, ${at}: ${failed === 0 ? "every check that was made has passed" : `${failed} failed`}.`,
    "",
    "| Check | Result | What was seen | Next |",
    "| --- | --- | --- | --- |",
    ...checks.map(
      ({ id, title, seed, result, says, next }) =>
        `| ${cell(`${seed === undefined ? "" : `${seed}. `}${id}: ${title}`)} | ${result} | ${cell(says)} | ${next === undefined ? "" : `\`${cell(next)}\``} |`,
    ),
    "",
  ].join("\n");
