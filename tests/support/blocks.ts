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

/** A block with the reader's own value behind each line that sets an example, which stays as it is: what follows in the block has the own one. */
export const withValues = (text: string, values: Readonly<Record<string, string>>): string =>
  text
    .split("\n")
    .flatMap((line) => [
      line,
      ...examplesIn(line).flatMap((name) => {
        const value = values[name];
        return value === undefined ? [] : [`export ${name}='${value.replaceAll("'", `'\\''`)}'`];
      }),
    ])
    .join("\n");
