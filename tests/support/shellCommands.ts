import { syntax } from "mvdan-sh";

/** Which programs a shell script runs, by a parser of shell; what only runs tells, such as `"$@"`, is left out. */

export interface Command {
  /** Its name; one that ends with * is known so far only. */
  readonly name: string;
  /** Its arguments, as far as they are known before it runs. */
  readonly args: readonly string[];
}

/** Programs that run their arguments: how many of those come before. */
const wrappers: Readonly<Record<string, number>> = {
  exec: 0,
  command: 0,
  env: 0,
  envdir: 1,
  flock: 1,
  nice: 0,
  nohup: 0,
  setsid: 0,
  timeout: 1,
  xargs: 0,
};
/** Options of those that take a value. */
const valued = new Set(["-n", "-k", "-s"]);

const builtins = new Set(
  (
    ": . [[ break case cd compgen continue declare echo eval exit export false getopts kill let local mapfile printf pwd read readonly " +
    "return set shift source test true trap type ulimit umask unset wait [ jobs bg fg hash times alias"
  ).split(" "),
);

interface Node {
  Parts?: Node[];
  Value?: string;
  Args?: Node[];
  Name?: { Value: string };
}

/** A word as far as it is known: what comes first in it, and whether that is all. */
function known(word: Node): { text: string; whole: boolean } {
  let text = "";
  for (const part of word.Parts ?? []) {
    const kind = syntax.NodeType(part);
    if (kind === "Lit" || kind === "SglQuoted") text += part.Value ?? "";
    else if (kind === "DblQuoted") {
      const inner = known(part);
      text += inner.text;
      if (!inner.whole) return { text, whole: false };
    } else return { text, whole: false };
  }
  return { text, whole: true };
}

function unwrapped(words: readonly { text: string; whole: boolean }[]): Command[] {
  const [first, ...rest] = words;
  if (first === undefined || first.text === "") return [];
  const args = rest.flatMap(({ text, whole }) => (whole ? [text] : []));
  const name = first.whole ? first.text : `${first.text}*`;
  // `exec 9>file` and `command -v x` run nothing.
  const skipped = wrappers[name];
  if (skipped === undefined || (name === "command" && args[0]?.startsWith("-v") === true))
    return [{ name, args }];
  const own = name === "exec" || name === "command" ? [] : [{ name, args }];
  let at = 0;
  let left = skipped;
  while (at < rest.length) {
    const { text } = rest[at]!;
    if (text.startsWith("-")) at += valued.has(text) ? 2 : 1;
    else if (left > 0) {
      left -= 1;
      at += 1;
    } else break;
  }
  return [...own, ...unwrapped(rest.slice(at))];
}

export interface Script {
  readonly commands: readonly Command[];
  readonly functions: ReadonlySet<string>;
}

/** The parser takes a second for a long script, and many containers run the same one. */
const scripts = new Map<string, Script>();

/** Reads a script of bash, of which POSIX' shell is a part. */
export function read(text: string, name: string): Script {
  const script = scripts.get(text) ?? parsed(text, name);
  scripts.set(text, script);
  return script;
}

function parsed(text: string, name: string): Script {
  const file = syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(text, name);
  const commands: Command[] = [];
  const functions = new Set<string>();
  syntax.Walk(file, (found: Node | null) => {
    if (found === null) return true;
    const kind = syntax.NodeType(found);
    if (kind === "FuncDecl" && found.Name !== undefined) functions.add(found.Name.Value);
    if (kind === "CallExpr") commands.push(...unwrapped((found.Args ?? []).map(known)));
    return true;
  });
  return { commands, functions };
}

/** The programs of scripts that are read into one shell: what isn't a function of theirs nor built in. */
export function programs(all: readonly Script[]): Command[] {
  const functions = new Set(all.flatMap((script) => [...script.functions]));
  return all
    .flatMap(({ commands }) => commands)
    .filter(({ name }) => !functions.has(name) && !builtins.has(name));
}
