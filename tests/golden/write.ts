import { writeFileSync } from "node:fs";
import { goldenFile, render } from "./render";
import { stacks } from "./stacks";

/** `npm run golden`: makes today's graphs the expected ones. Read the difference before you commit it. */
async function main(): Promise<void> {
  for (const stack of stacks) {
    writeFileSync(goldenFile(stack), await render(stack));
    console.log(`wrote ${goldenFile(stack)}`);
  }
}

void main();
