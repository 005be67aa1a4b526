import { format } from "prettier";
import { commands } from "../operations/command/table";
import {
  type CommandSpec,
  commonOptions,
  exits,
  type Group,
  groups,
  type OptionSpec,
} from "../operations/command/spec";

/** The commands of pgp as docs/pgp.md lists them. */

const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "\\<");

const table = (rows: readonly (readonly string[])[]): string =>
  [rows[0] ?? [], (rows[0] ?? []).map(() => "---"), ...rows.slice(1)]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

const optionRow = ({ flags, meaning, fallback, choices }: OptionSpec): string[] => [
  code(flags),
  cell(
    [
      meaning,
      ...(choices === undefined ? [] : [`one of ${choices.join(", ")}`]),
      ...(typeof fallback === "string" ? [`default ${fallback}`] : []),
    ].join("; "),
  ),
];

const capital = (text: string): string => text.replace(/^[a-z]/, (letter) => letter.toUpperCase());

/** Prose in lines that are short enough. */
function prose(text: string, width = 108): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const next = line === "" ? word : `${line} ${word}`;
    if (next.length > width) {
      lines.push(line);
      line = word;
    } else line = next;
  }
  return [...lines, line].join("\n");
}

const synopsis = ({ name, positional = [], options = [] }: CommandSpec): string =>
  ["pgp", name, ...(options.length > 0 ? ["[options]"] : []), ...positional.map(({ syntax }) => syntax)].join(
    " ",
  );

function section(spec: CommandSpec): string {
  const { name, summary, text = [], positional = [], options = [], examples, exits: own = {}, make } = spec;
  const width = Math.max(...examples.map(({ command }) => command.length));
  const rows = [
    ...positional.map(({ syntax, meaning }) => [code(syntax), cell(meaning)]),
    ...options.map(optionRow),
    ...Object.entries(own).map(([exit, meaning]) => [`exit code ${exit}`, cell(meaning)]),
  ];
  return [
    `### ${name}`,
    prose(`${capital(summary)}.${make === undefined ? "" : ` Short name: \`make ${make}\`.`}`),
    ...(text.length === 0 ? [] : [prose(text.join(" "))]),
    `\`\`\`sh\n# ${synopsis(spec)}\n${examples.map(({ command, does }) => `pgp ${command.padEnd(width)}  # ${does}`).join("\n")}\n\`\`\``,
    ...(rows.length === 0 ? [] : [table([["Argument", "Meaning"], ...rows])]),
  ].join("\n\n");
}

export function commandsText(): string {
  const common = [
    ...new Map(commands.flatMap(commonOptions).map((option) => [option.flags, option])).values(),
  ];
  const list = table([
    ["Command", "What it does"],
    ...commands.map(({ name, summary }) => [`[${name}](#${name.replaceAll(" ", "-")})`, cell(summary)]),
  ]);
  return [
    list,
    "### Options of many commands",
    table([["Option", "Meaning"], ...common.map(optionRow)]),
    "### Exit codes",
    table([["Code", "Meaning"], ...Object.entries(exits).map(([exit, meaning]) => [exit, cell(meaning)])]),
    ...(Object.entries(groups) as [Group, string][]).flatMap(([group, title]) => [
      `## ${title}`,
      ...commands.filter((one) => one.group === group).map(section),
    ]),
  ].join("\n\n");
}

const [FROM, TO] = ["<!-- commands: npm run docs:pgp -->", "<!-- end of commands -->"];

/** docs/pgp.md with the commands in their place, as the formatter has it. */
export function withCommands(page: string): Promise<string> {
  const [begin, end] = [page.indexOf(FROM), page.indexOf(TO)];
  if (begin < 0 || end < begin) throw new Error("docs/pgp.md has no place for the commands");
  return format(`${page.slice(0, begin + FROM.length)}\n\n${commandsText()}\n\n${page.slice(end)}`, {
    parser: "markdown",
    printWidth: 110,
  });
}
