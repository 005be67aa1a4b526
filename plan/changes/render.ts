import { cell } from "../reliability/render";
import { type Effect, effects, meanings } from "./effect";
import type { Line, Review } from "./review";

const NOTHING = "Nothing differs.";

const title = (effect: Effect, count: number): string =>
  `${effect}: ${meanings[effect]} (${count === 1 ? "1 line" : `${count} lines`})`;

/** A line: what, and old -> new. */
export function lineText({ op, object, path, before, after, why }: Line): string {
  const what =
    path === undefined
      ? `${op === "create" ? "new" : "removed"}: ${object}`
      : `${object}: ${path}: ${before} -> ${after}`;
  return why === undefined ? what : `${what} (${why})`;
}

interface Group {
  readonly effect: Effect;
  readonly notes: readonly string[];
  readonly lines: readonly Line[];
}

const grouped = ({ lines, notes }: Review): Group[] =>
  effects
    .map((effect) => ({
      effect,
      notes: notes.filter((one) => one.effect === effect).map(({ text }) => text),
      lines: lines.filter((one) => one.effect === effect),
    }))
    .filter((group) => group.lines.length + group.notes.length > 0);

/** For a terminal. `pause`: how long a restart pauses writes. */
export const reviewLines = (review: Review, pause: string): string[] =>
  review.lines.length === 0
    ? [NOTHING]
    : grouped(review).flatMap(({ effect, notes, lines }) => [
        title(effect, lines.length),
        ...notes.map((note) => `  = ${note}`),
        ...(effect === "restart" ? [`  = writes pause ${pause}`] : []),
        ...lines.map((line) => `  ${lineText(line)}`),
      ]);

/** The same as Markdown; `open` groups aren't folded. */
export const reviewMarkdown = (review: Review, pause: string): string[] =>
  review.lines.length === 0
    ? [NOTHING]
    : grouped(review).flatMap(({ effect, notes, lines }) => {
        const list = lines.map((line) => `- ${cell(lineText(line))}`);
        return [
          `**${title(effect, lines.length)}**`,
          "",
          ...notes.map((note) => `> ${cell(note)}`),
          ...(effect === "restart" ? [`> writes pause ${pause}`] : []),
          "",
          ...(effect === "nothing" && list.length > 10
            ? ["<details><summary>the lines</summary>", "", ...list, "", "</details>"]
            : list),
          "",
        ];
      });
