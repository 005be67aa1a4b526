import { resolve } from "node:path";
import { Command } from "commander";
import { CommandError } from "../../shell/process";
import { Progress, type StepContext } from "../../shell/progress";
import { api, down, loadImages, network, power, status, up, wipe } from "./cluster";
import type { Cut } from "./partition";

const progress = new Progress();
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("Interrupted; the next `up` continues from here.")));

const say = (line: string) => process.stdout.write(`${line}\n`);

const step = <T>(title: string, work: (context: StepContext) => Promise<T>): Promise<T> =>
  progress.step(title, work);

const program = new Command("cluster")
  .description("The built-in Kubernetes cluster: three nodes on this Linux machine.")
  .showHelpAfterError();

program
  .command("up")
  .description(
    "start the cluster, or what of it doesn't run; builds what is missing, no stack's images among it",
  )
  .action(async () => {
    const { kubeconfig, context } = await step("Starting the built-in cluster", (each) =>
      up(each, [], interrupted.signal),
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
    for (const fault of found.faults) say(`Fault: ${fault}.`);
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

const cables = program
  .command("network")
  .description(
    "cut cables and join them again: ends are nodes, `api`, or addresses of pods; packets vanish at the switch",
  );

cables
  .command("cut")
  .argument("<end>", "n1, n2, n3, api, or a pod's address")
  .argument("[other]", "the other end; without it: everything")
  .description("let nothing through between two ends, established connections included")
  .action(async (from: string, to: string | undefined) => {
    await step(`Cutting ${from} from ${to ?? "everything"}`, () => network({ cut: [cutOf(from, to)] }));
  });

cables
  .command("join")
  .argument("<end>", "as for `cut`")
  .argument("[other]", "as for `cut`")
  .description("take that cut back")
  .action(async (from: string, to: string | undefined) => {
    await step(`Joining ${from} and ${to ?? "everything"}`, () => network({ join: cutOf(from, to) }));
  });

cables
  .command("heal")
  .description("take all cuts back; `up` does so too")
  .action(() => step("Joining all cables", () => network("heal")));

const apiServer = program.command("api").description("disturb the API server");

apiServer
  .command("stall")
  .argument("<seconds>", "how long")
  .description("make it silent (SIGSTOP); it resumes by itself, even when this command is killed")
  .action(async (seconds: string) => {
    await step(`Stalling the API server for ${seconds} s`, () => api({ stallSeconds: Number(seconds) }));
  });

apiServer
  .command("resume")
  .description("end a stall early")
  .action(() => step("Waking the API server", () => api("resume")));

apiServer
  .command("stop")
  .description("end it; pods keep running without it")
  .action(() => step("Stopping the API server", () => api("stop")));

apiServer
  .command("start")
  .description("start it again and wait for its answer")
  .action(() => step("Starting the API server", () => api("start")));

function cutOf(from: string, to: string | undefined): Cut {
  return to === undefined ? { from } : { from, to };
}

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommandError) for (const line of error.tail) process.stderr.write(`  ${line}\n`);
  process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
