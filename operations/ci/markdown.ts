import { type Effect, heavier } from "../../plan/changes/effect";
import { reviewMarkdown } from "../../plan/changes/render";
import type { Review } from "../../plan/changes/review";
import { cell, differenceTable, monthText } from "../../plan/reliability/render";
import { type Comparison, isRefused, isUnchanged } from "./compare";

/** What is posted: comments of pull requests, and issues of the nightly look. The one place that has their Markdown. */

/** Longest text that is posted. */
export const LONGEST_BYTES = 64 * 1024;
/** Longest line that isn't a field's. */
const LONGEST_LINE = 600;

const bytes = (text: string): number => Buffer.byteLength(text);

/**
 * The first line of a text, by which it is found again: about what it is. `quiet`: there is nothing to say, unless something was said before.
 */
export const marker = (about: string, quiet: boolean): string =>
  `<!-- postgres-platform: ${about}${quiet ? ", nothing" : ""} -->`;

/** What a text is about, by its first line; undefined where it is none of ours. */
export function markedBy(body: string): { readonly about: string; readonly quiet: boolean } | undefined {
  const [, about, quiet] = /^<!-- postgres-platform: ([\w. -]+?)(, nothing)? -->/.exec(body) ?? [];
  return about === undefined ? undefined : { about, quiet: quiet !== undefined };
}

const short = (text: string): string =>
  text.length <= LONGEST_LINE ? text : `${text.slice(0, LONGEST_LINE)} …`;
const said = (text: string): string => cell(short(text));
const count = (amount: number, one: string): string => `${amount} ${one}${amount === 1 ? "" : "s"}`;

const worst = ({ lines, notes }: Review): Effect | undefined =>
  [...lines, ...notes].reduce<Effect | undefined>(
    (one, { effect }) => (one === undefined ? effect : heavier(one, effect)),
    undefined,
  );

const headlines: Readonly<Record<Effect, string>> = {
  replacement: "data is lost",
  stop: "PostgreSQL stops",
  restart: "PostgreSQL restarts",
  pause: "clients of poolers connect again",
  reload: "read while it runs",
  nothing: "the running database notices nothing",
};

function headline(one: Comparison): string {
  if (one.refused.length > 0) return "the stack file is refused";
  if (one.head === undefined) return "the stack file is removed";
  if (one.isNew) return "a new stack";
  if (isUnchanged(one)) return "nothing changes";
  return headlines[worst(one.review) ?? "nothing"];
}

const textsOf = ({ notes }: Review, ...wanted: Effect[]): string[] =>
  notes.filter(({ effect }) => wanted.includes(effect)).map(({ text }) => text);

const objectsOf = ({ lines }: Review, effect: Effect): string[] => [
  ...new Set(
    lines
      .filter((one) => one.effect === effect)
      .map(({ op, object, why }) =>
        why === undefined
          ? `${op === "delete" ? "deleted" : op === "replace" ? "made again" : "changed"}: ${object}`
          : `${object}: ${why}`,
      ),
  ),
];

/** What is said of objects of a kind. */
const objectsIn = ({ lines }: Review, kind: RegExp): string[] => [
  ...new Set(
    lines
      .filter(({ object }) => kind.test(object))
      .map(
        ({ op, object, why }) =>
          `${object}: ${why ?? (op === "create" ? "new" : op === "delete" ? "deleted" : "changed")}`,
      ),
  ),
];

const has = ({ lines, notes }: Review, ...wanted: Effect[]): boolean =>
  [...lines, ...notes].some(({ effect }) => wanted.includes(effect));

/** Whether the database itself is deleted or made again. */
const isRemade = ({ lines }: Review): boolean =>
  lines.some(({ effect, object }) => effect === "replacement" && !object.startsWith("Bucket"));

function restartText(review: Review): string {
  if (isRemade(review)) return "it is deleted or made again";
  if (!has(review, "stop", "restart")) return "no";
  const why = textsOf(review, "stop", "restart");
  const lines = why.length > 0 ? why : [...objectsOf(review, "stop"), ...objectsOf(review, "restart")];
  return `**yes**: ${lines.join("; ")}`;
}

function pauseText(review: Review, restart: string): string {
  const parts = [
    ...(isRemade(review) ? ["**yes**: what is deleted or made again serves no client meanwhile"] : []),
    ...(has(review, "stop") ? ["**yes**: writes pause until the upgrade is done; no bound is known"] : []),
    ...(has(review, "restart") && !has(review, "stop") ? [`**yes**: writes pause ${restart}`] : []),
    ...(has(review, "pause")
      ? [`**yes**, for clients of poolers: ${objectsOf(review, "pause").join("; ")}`]
      : []),
  ];
  return parts.length === 0 ? "no" : parts.join("; ");
}

function replacementText(review: Review): string {
  const objects = objectsOf(review, "replacement");
  return objects.length === 0
    ? "no"
    : `**YES**: ${objects.join("; ")}. What they hold is lost; \`make up\` asks first, and without a terminal it refuses`;
}

function costText({ head, differences }: Comparison): string {
  const found = differences?.find(({ id }) => id === "cost");
  if (found !== undefined) return `${found.before} -> ${found.after} (USD a month, volumes and stores)`;
  return head === undefined
    ? ""
    : `${differences === undefined ? "" : "the same: "}${monthText(head.report)} a month, volumes and stores`;
}

function policiesText({ head }: Comparison): string {
  const { violations = [], waived = [] } = head ?? {};
  const of = (mandatory: boolean): string => {
    const found = violations.filter((one) => one.mandatory === mandatory);
    const added = found.filter(({ isNew }) => isNew).length;
    return `${found.length}${found.length > 0 ? ` (${added} new)` : ""}`;
  };
  const refused = violations.some(({ mandatory }) => mandatory);
  return [
    refused ? `**refused**: ${of(true)}` : "passed",
    `advice: ${of(false)}`,
    ...(waived.length > 0 ? [`waivers: ${waived.length}`] : []),
  ].join("; ");
}

function reliabilityText({ differences }: Comparison): string {
  if (differences === undefined) return "see below";
  const of = (wanted: string) => differences.filter(({ verdict }) => verdict === wanted).length;
  const [worse, better] = [of("worse"), of("better")];
  if (worse + better === 0) return "nothing gets better or worse";
  return [worse > 0 ? `**${worse} worse**` : "", better > 0 ? `${better} better` : ""]
    .filter(Boolean)
    .join("; ");
}

function answers(one: Comparison): string[] {
  const { review, head } = one;
  if (head === undefined) return [];
  const places = objectsIn(review, /^Bucket/);
  const rows: [string, string][] = [
    ["Does PostgreSQL restart?", one.isNew ? "it starts for the first time" : restartText(review)],
    ["Is there a pause?", one.isNew ? "no" : pauseText(review, head.restart)],
    ["Is data replaced or deleted?", replacementText(review)],
    ...(places.length === 0 || one.isNew
      ? []
      : [["Do backups change place?", places.join("; ")] as [string, string]]),
    ["What does it cost?", costText(one)],
    ["Policies", policiesText(one)],
    ["Reliability", reliabilityText(one)],
  ];
  // What is bold is so on purpose; the rest is text.
  const answer = (text: string) => said(text).replace(/\\\*\\\*(.*?)\\\*\\\*/g, "**$1**");
  return [
    "",
    "| Question | Answer |",
    "| --- | --- |",
    ...rows.map(([what, text]) => `| ${what} | ${answer(text)} |`),
  ];
}

const folded = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ["", `<details><summary>${title}</summary>`, "", ...lines, "", "</details>"];

/** What refuses, each by itself; new advice by the first of each policy, and advice of before by its policies alone. */
function policyLines({ head, isNew: all }: Comparison, most: number): string[] {
  if (head === undefined) return [];
  const { violations, waived } = head;
  const byPolicy = (found: typeof violations) =>
    [...new Set(found.map(({ policy }) => policy))].map((policy) =>
      found.filter((one) => one.policy === policy),
    );
  const times = (found: typeof violations) => (found.length === 1 ? "" : ` (${found.length} times)`);
  const refused = violations.filter(({ mandatory }) => mandatory);
  const advice = violations.filter(({ mandatory }) => !mandatory);
  const known = byPolicy(advice.filter(({ isNew }) => all || !isNew));
  return [
    ...refused
      .slice(0, most)
      .map(
        ({ policy, isNew, sentence }) =>
          `- **refused**${isNew ? ", new" : ", as before"}: \`${policy}\`: ${said(sentence)}`,
      ),
    ...(refused.length > most ? [`- ${refused.length - most} more are refused`] : []),
    ...byPolicy(advice.filter(({ isNew }) => !all && isNew)).map(
      (found) => `- advice, new: \`${found[0]?.policy}\`${times(found)}: ${said(found[0]?.sentence ?? "")}`,
    ),
    ...(known.length > 0
      ? [
          `- advice${all ? "" : ", as before"}: ${said(known.map((found) => `${found[0]?.policy}${times(found)}`).join(", "))}`,
        ]
      : []),
    ...waived.map((text) => `- ${said(text)}`),
  ];
}

/** The comment with so many of the differing fields, the heaviest first. */
function comment(one: Comparison, fields: number): string {
  const { stack, review, head, differences = [] } = one;
  const left = review.lines.length - fields;
  const shown = { ...review, lines: review.lines.slice(0, fields) };
  const further = differences.filter(({ id }) => id !== "cost");
  return [
    marker(`stack ${stack}`, isUnchanged(one)),
    `## ${isRefused(one) ? "Refused: stack" : "Stack"} \`${stack}\`: ${headline(one)}`,
    ...[...one.notes, ...one.refused].flatMap((note) => ["", `> ${said(note)}`]),
    ...answers(one),
    ...(further.length === 0 ? [] : ["", "### Reliability", "", ...differenceTable(further)]),
    ...folded("What policies say", policyLines(one, 40)),
    ...(review.lines.length === 0 || head === undefined
      ? []
      : folded(count(review.lines.length, "difference"), [
          ...(fields === 0 ? [] : reviewMarkdown(shown, head.restart).map(short)),
          ...(left === 0
            ? []
            : ["", `${count(left, "more line")}: \`pgp diff --stack ${stack} --against …\` prints them.`]),
        ])),
    "",
    "Both plans are made from nothing, without a cluster: what was changed by hand isn't in them, and buckets at a cloud's provider are judged by `make up`'s preview alone.",
    "",
  ]
    .join("\n")
    .replace(/\n{3,}/g, "\n\n");
}

/** The comment of a stack, as long as may be posted: what is left out of the differing fields is counted. */
export function commentOf(one: Comparison, longest = LONGEST_BYTES): string {
  let fields = one.review.lines.length;
  let text = comment(one, fields);
  while (bytes(text) > longest && fields > 0) {
    fields = Math.max(0, Math.min(fields - 1, Math.floor((fields * longest * 0.95) / bytes(text))));
    text = comment(one, fields);
  }
  return text;
}

/** An issue of what the nightly look found, or that there is nothing any more. */
export function issueOf(about: string, title: string, lines: readonly string[], fix: string): string {
  const most = 200;
  return [
    marker(about, lines.length === 0),
    `# ${title}`,
    "",
    ...(lines.length === 0 ? ["Nothing any more."] : lines.slice(0, most).map((line) => `- ${said(line)}`)),
    ...(lines.length > most ? [`- ${lines.length - most} more`] : []),
    ...(lines.length === 0 ? [] : ["", fix]),
    "",
  ].join("\n");
}
