import { resolve } from "node:path";
import { Command } from "commander";
import { CommandError } from "../../operations/process";
import { Progress, type StepContext } from "../../operations/progress";
import { down, loadImages, power, status, up, wipe } from "./cluster";

const progress = new Progress();
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("Interrupted; the next `up` goes on from here.")));

const say = (line: string) => process.stdout.write(`${line}\n`);

const step = <T>(title: string, work: (context: StepContext) => Promise<T>): Promise<T> =>
  progress.step(title, work);

const program = new Command("cluster")
  .description("The built-in Kubernetes cluster: three nodes on this Linux machine.")
  .showHelpAfterError();

program
  .command("up")
  .description("start the cluster, or what of it doesn't run; builds what is missing")
  .action(async () => {
    const { kubeconfig, context } = await step("Starting the built-in cluster", (each) =>
      up(each, interrupted.signal),
    );
    say(`The cluster is up: kubectl --kubeconfig ${kubeconfig} --context ${context} get nodes`);
  });

program
  .command("down")
  .description("stop the cluster and leave nothing on the machine but its state")
  .action(async () => {
    await step("Stopping the built-in cluster", down);
    say("The cluster is down; its state is kept.");
  });

program
  .command("wipe")
  .description("stop the cluster and delete its state, volumes included")
  .action(async () => {
    await step("Deleting the built-in cluster", wipe);
    say("The cluster is gone.");
  });

program
  .command("status")
  .description("tell what runs")
  .action(async () => {
    const found = await status();
    for (const node of found.nodes) {
      say(`${node.name}  ${node.zone}  ${node.ready ? "ready" : node.running ? "not ready" : "off"}`);
    }
    say(`The cluster is ${found.state}.`);
  });

program
  .command("load")
  .argument("<file...>", "OCI or Docker image archives")
  .description("bring images to all running nodes")
  .action(async (files: string[]) => {
    const tars = files.map((file) => resolve(file));
    await step("Loading images", (each) => loadImages(each, tars));
    say(`Loaded: ${tars.length}.`);
  });

program
  .command("power")
  .argument("<node>", "n1, n2 or n3")
  .argument("<state>", "on or off")
  .description("switch one node off, like a power failure, or on again")
  .action(async (node: string, state: string) => {
    if (state !== "on" && state !== "off") throw new Error(`The state is "on" or "off", not "${state}".`);
    await step(`Switching ${node} ${state}`, () => power(node, state));
    say(`Node ${node} is ${state}.`);
  });

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommandError) for (const line of error.tail) process.stderr.write(`  ${line}\n`);
  process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
