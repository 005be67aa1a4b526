import { read } from "./pages";

/** The code block behind `<!-- recipe: <name> -->` of a page. */
export function recipe(page: string, name: string): string {
  const found = new RegExp(`<!-- recipe: ${name} -->\\n+\`\`\`\\w+\\n([^]*?)\`\`\``).exec(read(page))?.[1];
  if (found === undefined) throw new Error(`${page} has no recipe ${name}`);
  return found;
}
