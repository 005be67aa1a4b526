import type { Relabel } from "../../plan/monitoring/relabel";

/** What Prometheus does with relabeling, as its documentation has it: a stand-in, in JavaScript's regular expressions, for the tests of single steps. */

export type LabelSet = Readonly<Record<string, string>>;

/** The labels after all steps; undefined where one drops them. */
export function relabelled(labels: LabelSet, steps: readonly Relabel[]): LabelSet | undefined {
  let now: Record<string, string> = { ...labels };
  for (const { from = [], regex = "(.*)", to, replacement = "$1", action = "replace" } of steps) {
    const whole = new RegExp(`^(?:${regex})$`, "s");
    if (action === "labeldrop") {
      now = Object.fromEntries(Object.entries(now).filter(([name]) => !whole.test(name)));
      continue;
    }
    const value = from.map((name) => now[name] ?? "").join(";");
    const matches = whole.test(value);
    if (action === "keep" && !matches) return undefined;
    if (action === "drop" && matches) return undefined;
    if (action !== "replace" || !matches || to === undefined) continue;
    const result = value.replace(whole, replacement);
    if (result === "") delete now[to];
    else now[to] = result;
  }
  return now;
}

/** The samples of an exposition in Prometheus' text format, as label sets. */
export const samplesOf = (text: string): LabelSet[] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", inner = ""] = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
      const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", value = ""]) => [
        key,
        value,
      ]);
      return { __name__: name, ...(Object.fromEntries(labels) as Record<string, string>) };
    });

/** What is kept of a target: samples with the target's labels, where a clash moves the sample's own aside. */
export function scraped(
  target: LabelSet,
  targetSteps: readonly Relabel[],
  exposition: string,
  sampleSteps: readonly Relabel[],
): LabelSet[] {
  const found = relabelled(target, targetSteps);
  if (found === undefined) return [];
  const own = Object.fromEntries(Object.entries(found).filter(([name]) => !name.startsWith("__")));
  return samplesOf(exposition).flatMap((sample) => {
    const moved = Object.fromEntries(
      Object.entries(sample).map(([name, value]) => [name in own ? `exported_${name}` : name, value]),
    );
    const kept = relabelled({ ...moved, ...own }, sampleSteps);
    return kept === undefined ? [] : [kept];
  });
}
