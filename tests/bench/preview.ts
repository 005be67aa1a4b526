import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { projectDir } from "../../operations/paths";
import { run } from "../../operations/process";
import { type Environment } from "../e2e/kit/environment";
import { median, table } from "../e2e/kit/statistics";

/** The project's preview may take so many times as long as that of the smallest program. */
export const PREVIEW_GOAL = 1.5;

/** Seconds of each preview, pair by pair; the first pair warmed the caches up and doesn't count. */
export interface PreviewSamples {
  warmUp: { project: number; smallest: number };
  pairs: { project: number; smallest: number }[];
}

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

/**
 * Previews of the running stack and of the smallest comparable program, in turn. Both are deployed, so that both previews
 * find nothing to change.
 */
export async function measurePreviews(
  env: Environment,
  pairs: number,
  say: (text: string) => void,
): Promise<PreviewSamples> {
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

    const project = () =>
      run(
        "pulumi",
        [
          "preview",
          "--stack",
          env.stack.name,
          "--config-file",
          env.stack.file,
          "--non-interactive",
          "--expect-no-changes",
        ],
        { cwd: projectDir, env: environment },
      );
    const smallest = () => pulumi(["preview", "--stack", "bench", "--expect-no-changes"]);
    const samples: PreviewSamples["pairs"] = [];
    for (let pair = 0; pair <= pairs; pair++) {
      const sample = { project: await seconds(project), smallest: await seconds(smallest) };
      say(
        `pair ${pair}${pair === 0 ? " (warm-up)" : ` of ${pairs}`}: project ${sample.project.toFixed(2)} s, smallest ${sample.smallest.toFixed(2)} s`,
      );
      samples.push(sample);
    }
    const [warmUp, ...counted] = samples;
    if (warmUp === undefined) throw new Error("no pair was measured");
    return { warmUp, pairs: counted };
  } finally {
    await run("pulumi", ["destroy", "--yes", "--skip-preview", "--non-interactive", "--stack", "bench"], {
      cwd: folder,
      env: own,
      allowFailure: true,
    });
    await rm(folder, { recursive: true, force: true });
  }
}

/** Median seconds, and the median of the ratios of the pairs. */
export function previewReport({ pairs }: PreviewSamples): { text: string; ratio: number } {
  const project = pairs.map((pair) => pair.project);
  const smallest = pairs.map((pair) => pair.smallest);
  const ratios = pairs.map((pair) => pair.project / pair.smallest);
  const ratio = median(ratios);
  const row = (name: string, values: number[]) => [
    name,
    String(values.length),
    ...[median(values), Math.min(...values), Math.max(...values)].map((value) => value.toFixed(2)),
  ];
  const text = table(
    ["preview", "n", "median", "min", "max"],
    [row("project (s)", project), row("smallest program (s)", smallest), row("ratio of each pair", ratios)],
  );
  return { text, ratio };
}
