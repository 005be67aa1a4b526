import { UserError } from "../../shell/userError";
import { type CommandSpec, commonOptions, longFlag, type OptionSpec } from "./spec";

/** Completion for shells, out of the table of commands. */

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

const optionsOf = (spec: CommandSpec): OptionSpec[] => [...(spec.options ?? []), ...commonOptions(spec)];

/** First words, and behind some of them the second ones. */
function words(specs: readonly CommandSpec[]): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const { name } of specs) {
    const [first = "", second] = name.split(" ");
    all.set(first, [...(all.get(first) ?? []), ...(second === undefined ? [] : [second])]);
  }
  return all;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Names of the stack files beside the program, which the shell lists when it completes. */
const stackNames =
  '{ f=${PGP_STACKS:-$(dirname "$(command -v pgp)")}; for s in "$f"/Pulumi.*.yaml; do s=${s##*/Pulumi.}; [ "$s" = \'*.yaml\' ] || printf \'%s\\n\' "${s%.yaml}"; done; } 2>/dev/null';

function bash(specs: readonly CommandSpec[]): string {
  const first = [...words(specs).keys()].join(" ");
  const seconds = [...words(specs)].filter(([, more]) => more.length > 0);
  const flags = specs.map(
    (spec) =>
      `    ${quoted(spec.name)}) words=${quoted([...optionsOf(spec).map(({ flags }) => longFlag(flags)), "--help"].join(" "))} ;;`,
  );
  const values = new Map(
    specs.flatMap((spec) =>
      optionsOf(spec).flatMap(({ flags, choices }) =>
        choices === undefined ? [] : [[longFlag(flags), choices] as const],
      ),
    ),
  );
  return `# bash completion of pgp: eval "$(pgp completion bash)"
_pgp() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} name=\${COMP_WORDS[1]-} words=
  case $before in
    -s|--stack) COMPREPLY=($(compgen -W "$(${stackNames})" -- "$current")); return ;;
${[...values].map(([flag, choices]) => `    ${flag}) COMPREPLY=($(compgen -W ${quoted(choices.join(" "))} -- "$current")); return ;;`).join("\n")}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted(`${first} --help`)} -- "$current"))
    return
  fi
  case $name in
${seconds.map(([one, more]) => `    ${one}) if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W ${quoted(more.join(" "))} -- "$current")); return; fi; name="$name \${COMP_WORDS[2]-}" ;;`).join("\n")}
  esac
  case $name in
${flags.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _pgp pgp
`;
}

/** A text in zsh's descriptions: colons and brackets are its own. */
const described = (text: string): string => text.replace(/[[\]:\\]/g, (one) => `\\${one}`);

function zsh(specs: readonly CommandSpec[]): string {
  const tops = [...words(specs).keys()].map((word) => {
    const spec = specs.find(({ name }) => name === word);
    return `    ${quoted(`${word}:${described(spec?.summary ?? `${word} …`)}`)}`;
  });
  const one = (spec: CommandSpec): string => {
    const options = optionsOf(spec).map(({ flags, meaning, choices }) => {
      const value = flags.includes("<")
        ? `:value:${choices === undefined ? (flags.includes("--stack") ? `($(${stackNames}))` : "") : `(${choices.join(" ")})`}`
        : "";
      return `      ${quoted(`${longFlag(flags)}[${described(meaning)}]`)}${value === "" ? "" : value.includes("$(") ? `"${value.replaceAll('"', '\\"')}"` : quoted(value)}`;
    });
    return `    ${quoted(spec.name)}) _arguments \\\n${options.join(" \\\n")} ;;`;
  };
  const seconds = [...words(specs)].filter(([, more]) => more.length > 0);
  return `#compdef pgp
# zsh completion of pgp: eval "$(pgp completion zsh)", after compinit
_pgp() {
  local -a tops
  tops=(
${tops.join("\n")}
  )
  if (( CURRENT == 2 )); then _describe command tops; return; fi
  local name=$words[2]
  case $name in
${seconds.map(([word, more]) => `    ${word}) if (( CURRENT == 3 )); then compadd ${more.join(" ")}; return; fi; name="$name $words[3]" ;;`).join("\n")}
  esac
  case $name in
${specs.map(one).join("\n")}
  esac
}
compdef _pgp pgp
`;
}

function fish(specs: readonly CommandSpec[]): string {
  const lines = [...words(specs)].flatMap(([word, more]) => {
    const spec = specs.find(({ name }) => name === word);
    const summary = quoted(spec?.summary ?? `${word} …`);
    return [
      `complete -c pgp -n __fish_use_subcommand -a ${word} -d ${summary}`,
      ...more.map((second) => {
        const inner = specs.find(({ name }) => name === `${word} ${second}`);
        return `complete -c pgp -n '__fish_seen_subcommand_from ${word}' -a ${second} -d ${quoted(inner?.summary ?? "")}`;
      }),
    ];
  });
  const flags = specs.flatMap((spec) => {
    const seen = spec.name
      .split(" ")
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join("; and ");
    return optionsOf(spec).map(({ flags: text, meaning, choices }) => {
      const short = /^-([a-z]),/.exec(text)?.[1];
      const takes = text.includes("<");
      return [
        `complete -c pgp -n ${quoted(seen)} -l ${longFlag(text).slice(2)}`,
        ...(short === undefined ? [] : [`-s ${short}`]),
        ...(takes ? ["-x"] : []),
        ...(choices === undefined ? [] : [`-a ${quoted(choices.join(" "))}`]),
        `-d ${quoted(meaning)}`,
      ].join(" ");
    });
  });
  return `# fish completion of pgp: pgp completion fish | source\ncomplete -c pgp -f\n${[...lines, ...flags].join("\n")}\n`;
}

const writers: Readonly<Record<Shell, (specs: readonly CommandSpec[]) => string>> = { bash, zsh, fish };

export function completionOf(shell: string, specs: readonly CommandSpec[]): string {
  const known = shells.find((one) => one === shell);
  if (known === undefined)
    throw new UserError([
      `shell: "${shell}" has no completion. Allowed: ${shells.join(", ")}. Fix: name one of them.`,
    ]);
  return writers[known](specs);
}
