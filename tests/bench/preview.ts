import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { projectDir } from "../../shell/paths";
import { CommandError, run } from "../../shell/process";
import { type Environment } from "../e2e/kit/environment";
import { median } from "../e2e/kit/statistics";
import { interleave, roundName, type Rounds } from "./interleave";
import { type Cell, type Goal, summaryCells, summaryHead, type Table } from "./results";

/** The project's preview may take so many times as long as that of the smallest program. */
export const PREVIEW_GOAL = 1.5;

/** Seconds of each preview, round by round. */
export type PreviewSamples<Arm extends string> = Rounds<Record<Arm, number>>;

const NAMESPACE = "pgp-bench";

/** What a program must have at least to be comparable: the same two providers, and one object. */
const PROGRAM = `
import { Provider } from "@pulumi/kubernetes";
import { Namespace } from "@pulumi/kubernetes/core/v1";
import { Provider as Random } from "@pulumi/random";

const provider = new Provider("kubernetes", {
  kubeconfig: process.env.BENCH_KUBECONFIG,
  context: process.env.BENCH_CONTEXT,
});
new Random("random");
new Namespace("bench", { metadata: { name: "${NAMESPACE}" } }, { provider });
`;

/** Seconds that a command takes, by the monotonic clock. */
async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** `pulumi preview` of the running stack; `flags` are added. */
export function projectPreview(
  env: Environment,
  environment: Record<string, string | undefined>,
  flags: readonly string[] = [],
) {
  const { name, file } = env.stack;
  const stack = ["--stack", name, "--config-file", file];
  return () =>
    seconds(() =>
      run("pulumi", ["preview", ...stack, "--non-interactive", "--expect-no-changes", ...flags], {
        cwd: projectDir,
        env: environment,
      }).catch((error: unknown) => {
        const tail = error instanceof CommandError ? error.tail.slice(-5).join("\n") : "";
        throw new Error(
          `${(error as Error).message}: when the stack differs from this tree, \`make up\` first\n${tail}`,
        );
      }),
    );
}

/**
 * Previews of the running stack and of the smallest comparable program, in turn. Both are deployed, so that both previews
 * find nothing to change.
 */
export async function measurePreviews(
  env: Environment,
  rounds: number,
  say: (text: string) => void,
): Promise<PreviewSamples<"project" | "smallest">> {
  const folder = await mkdtemp(join(tmpdir(), "pgp-bench-"));
  const { kubeconfig, context } = env.settings.kubernetes;
  const environment = {
    ...(await env.stack.environment()),
    BENCH_KUBECONFIG: kubeconfig,
    BENCH_CONTEXT: context,
  };
  const own = { ...environment, PULUMI_BACKEND_URL: `file://${join(folder, "state")}` };
  const pulumi = (args: readonly string[]) =>
    run("pulumi", [...args, "--non-interactive", "--color=never"], { cwd: folder, env: own });
  try {
    const { runtime } = parse(await readFile(join(projectDir, "Pulumi.yaml"), "utf8")) as { runtime: object };
    await mkdir(join(folder, "state"));
    await writeFile(
      join(folder, "Pulumi.yaml"),
      JSON.stringify({ name: "bench", main: "index.ts", runtime }),
    );
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "bench", private: true }));
    await writeFile(join(folder, "index.ts"), PROGRAM);
    await symlink(join(projectDir, "node_modules"), join(folder, "node_modules"));
    await pulumi(["stack", "init", "bench"]);
    await pulumi(["up", "--yes", "--skip-preview"]);

    const smallest = () => seconds(() => pulumi(["preview", "--stack", "bench", "--expect-no-changes"]));
    return await interleave(
      { project: projectPreview(env, environment), smallest },
      rounds,
      (round, sample) =>
        say(
          `${roundName(round, rounds)}: project ${sample.project.toFixed(2)} s, smallest ${sample.smallest.toFixed(2)} s`,
        ),
    );
  } finally {
    await run("pulumi", ["destroy", "--yes", "--skip-preview", "--non-interactive", "--stack", "bench"], {
      cwd: folder,
      env: own,
      allowFailure: true,
    });
    await rm(folder, { recursive: true, force: true });
  }
}

/** Seconds of both arms, and the ratio of each round. */
export function ratioTable<Arm extends string>(
  { counted }: PreviewSamples<Arm>,
  arms: Readonly<Record<Arm, string>>,
  [upper, lower]: readonly [Arm, Arm],
): { table: Table; ratio: number } {
  const ratios = counted.map((round) => round[upper] / round[lower]);
  const line = (name: string, values: number[]): Cell[] => [name, ...summaryCells(values)];
  return {
    table: {
      caption: "Seconds, and the ratio of each round",
      head: ["preview", ...summaryHead],
      rows: [
        line(
          arms[upper],
          counted.map((round) => round[upper]),
        ),
        line(
          arms[lower],
          counted.map((round) => round[lower]),
        ),
        line("ratio", ratios),
      ],
    },
    ratio: median(ratios),
  };
}

export const previewGoal = (ratio: number): Goal => ({
  met: ratio <= PREVIEW_GOAL,
  text: `the project's preview takes at most ${PREVIEW_GOAL} times as long: ${ratio.toFixed(2)}`,
});
