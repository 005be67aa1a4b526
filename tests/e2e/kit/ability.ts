import { type Capability, type EnginePlanner } from "../../../plan/engines/planner";
import { say } from "./wait";

/** Skips a case, or in a `before` a whole suite, that is about something which the engine can't do, and says why. */
export function needs(
  test: Mocha.Context,
  { engine }: { readonly engine: Pick<EnginePlanner, "name" | "can"> },
  ...abilities: readonly Capability[]
): void {
  for (const ability of abilities) {
    const can = engine.can[ability];
    if (can === true) continue;
    say(`excluded with the engine ${engine.name}, which lacks "${ability}": ${can.because}`);
    test.skip();
  }
}
