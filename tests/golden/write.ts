import { goldenFolder, write } from "./folder";
import { render } from "./render";
import { stacks, variants } from "./stacks";

/** `npm run golden`: makes today's graphs the expected ones. Read the difference before you commit it. */
async function main(): Promise<void> {
  for (const stack of [...stacks, ...Object.keys(variants)])
    for (const line of write(goldenFolder(stack), await render(stack))) console.log(line);
}

void main();
