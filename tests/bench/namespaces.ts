import { type Environment } from "../e2e/kit/environment";

/** Namespaces that the bench makes carry this label, so that a later run finds what a killed one left. */
const label = "pgplatform.io/bench";

/** Makes a namespace of the bench, empty: one of that name that is still there goes first. */
export async function makeNamespace(env: Environment, name: string): Promise<void> {
  await env.kubectl.run(["delete", "namespace", name, "--ignore-not-found", "--timeout=180s"]);
  await env.kubectl.apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { [label]: "true" } },
  });
}

/** Deletes every namespace of the bench with all that is in it. */
export async function deleteBenchNamespaces(env: Environment): Promise<void> {
  await env.kubectl.run([
    "delete",
    "namespace",
    "-l",
    `${label}=true`,
    "--ignore-not-found",
    "--timeout=240s",
  ]);
}

/**
 * Runs `work`, then `cleanUp`: at its end, when it fails, and on Ctrl-C or SIGTERM. A second signal doesn't stop the cleaning
 * up. What SIGKILL leaves behind is removed by the next run.
 */
export async function cleaningUp<T>(work: () => Promise<T>, cleanUp: () => Promise<void>): Promise<T> {
  const signals = ["SIGINT", "SIGTERM"] as const;
  let ending = false;
  let cleaning: Promise<void> | undefined;
  const cleanOnce = () => (cleaning ??= cleanUp());
  const end = () => {
    if (ending) return;
    ending = true;
    process.stdout.write("interrupted: cleaning up …\n");
    cleanOnce().then(
      () => process.exit(130),
      (error: unknown) => {
        process.stdout.write(`error: cleaning up: ${(error as Error).message}\n`);
        process.exit(130);
      },
    );
  };
  for (const signal of signals) process.on(signal, end);
  try {
    return await work();
  } finally {
    await cleanOnce();
    // The signal took the commands under way with it, or came last: it decides how the process ends.
    if (ending) await new Promise(() => undefined);
    for (const signal of signals) process.off(signal, end);
  }
}
