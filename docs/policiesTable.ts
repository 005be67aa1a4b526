import { format } from "prettier";
import { groups } from "../policy/invariants";
import type { Invariant, Option } from "../policy/invariants/invariant";

/** The policies as docs/policies.md lists them. */

const begin = "<!-- begin of the policies: `npm run docs:policies` writes them -->";
const end = "<!-- end of the policies -->";

const cell = (text: string): string => text.replaceAll("|", "\\|");
const table = (rows: readonly (readonly string[])[]): string =>
  [rows[0] ?? [], (rows[0] ?? []).map(() => "---"), ...rows.slice(1)]
    .map((row) => `| ${row.map(cell).join(" | ")} |`)
    .join("\n");

/** Lines of at most that many characters, broken between words; code is never broken. */
function wrapped(text: string, length = 110): string {
  const lines = [""];
  for (const word of text.match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > length) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

const levels = ({ mandatory }: Invariant): readonly [prod: string, dev: string] =>
  mandatory === "everywhere"
    ? ["mandatory", "mandatory"]
    : mandatory === "prod"
      ? ["mandatory", "advisory"]
      : ["advisory", "advisory"];

const shown = ({ default: value }: Option): string =>
  Array.isArray(value)
    ? value.length === 0
      ? "none"
      : value.join(", ")
    : value === ""
      ? "none"
      : String(value);

function section(invariant: Invariant): string {
  const { name, description, remediation, options = {}, remedy } = invariant;
  return [
    `#### ${name}`,
    wrapped(description),
    wrapped(`**Fix.** ${remediation}`),
    ...(remedy ? [wrapped("Pulumi can fix it: set its level to `remediate`.")] : []),
    ...Object.entries(options).map(([option, described]) =>
      wrapped(`**Option \`${option}\`** (${shown(described)}). ${described.description}`),
    ),
  ].join("\n\n");
}

const group = ({ title, invariants }: (typeof groups)[number]): string =>
  [
    `### ${title}`,
    table([
      ["No.", "Policy", "Prod", "Dev", "Severity"],
      ...invariants.map((one) => [
        one.number,
        `[\`${one.name}\`](#${one.name})`,
        ...levels(one),
        one.severity,
      ]),
    ]),
    ...invariants.map(section),
  ].join("\n\n");

/** The page with its policies as they are now. */
export function withPolicies(page: string): Promise<string> {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/policies.md has no ${begin}`);
  return format(`${before}${begin}\n\n${groups.map(group).join("\n\n")}\n\n${end}${after}`, {
    parser: "markdown",
    printWidth: 110,
  });
}
