/** A block of commands of a page. */
export interface Block {
  /** The heading of its section. */
  readonly section: string;
  /** What stands behind the fence, such as `sh`. */
  readonly language: string;
  readonly text: string;
}

/** The blocks of a page, in its order. */
export function blocksIn(page: string): Block[] {
  let section = "";
  return [...page.matchAll(/^## (.*)$|^```(\w+)\n([^]*?)^```$/gm)].flatMap(
    ([, heading, language = "", text = ""]) => {
      if (heading === undefined) return [{ section, language, text }];
      section = heading;
      return [];
    },
  );
}

/** The variables that a block sets to an example, of which a reader puts in the own value: not those that it computes. */
export const examplesIn = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("export ") && !line.includes("$("))
    .flatMap((line) => [...line.matchAll(/\b([A-Z_]+)=/g)].map(([, name = ""]) => name));

/** A block with the reader's own values behind its examples, which stay as they are. */
export function withValues(text: string, values: Readonly<Record<string, string>>): string {
  const own = examplesIn(text).flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [`export ${name}='${value.replaceAll("'", `'\\''`)}'\n`];
  });
  return text + own.join("");
}
