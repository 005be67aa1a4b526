import type { EngineTraits } from "../plan/engines/planner";
import { bytesOf, milliCoresOf } from "../settings/quantity";
import type { Settings } from "../settings/schema";
import { type Report, type Rule } from "./rule";

const MiB = 2 ** 20;

/** What a container of each part takes at least: less only lets it be killed. */
const least = { backup: 512, operator: 128, monitoring: 32 } as const;

function amounts(
  part: keyof typeof least,
  { memory, cpu }: { readonly memory?: string | undefined; readonly cpu?: string | undefined },
  report: Report,
): void {
  if (memory !== undefined && (bytesOf(memory) ?? 0) < least[part] * MiB)
    report(
      `${part}.memory`,
      memory,
      `at least ${least[part]}Mi`,
      `set ${least[part]}Mi or more, or leave it out`,
    );
  if (cpu !== undefined && (milliCoresOf(cpu) ?? 0) < 100)
    report(`${part}.cpu`, cpu, "at least 100m", "set 100m or more, or leave it out");
}

/** Refuses what is set for an operator that this stack doesn't install. */
export function withOperator(
  { operator }: Settings,
  report: Report,
  { name, can }: EngineTraits,
  key: "memory" | "cpu" | "scheduling",
): void {
  if (can.operator !== true)
    report(
      `operator.${key}`,
      operator[key],
      `must not be set: the engine ${name} has no operator`,
      "leave it out",
    );
  else if (!operator.install)
    report(
      `operator.${key}`,
      operator[key],
      "must not be set: another stack installs the operator",
      "set it in that stack",
    );
}

/** Where the engine's own image has metrics there is no exporter without a pooler. */
const hasExporter = ({ poolers }: Settings, { images }: EngineTraits): boolean =>
  images.includes("postgresExporter") || poolers.length > 0;

export const sizes: Rule = (settings, report, engine) => {
  const { backup, operator, monitoring } = settings;
  if (backup) amounts("backup", backup, report);
  amounts("operator", operator, report);
  amounts("monitoring", monitoring, report);
  for (const key of ["memory", "cpu"] as const) {
    if (monitoring[key] !== undefined && !hasExporter(settings, engine))
      report(
        `monitoring.${key}`,
        monitoring[key],
        `must not be set: with the engine ${engine.name} and without poolers there is no exporter`,
        "leave it out",
      );
    if (operator[key] !== undefined) withOperator(settings, report, engine, key);
  }
};
