import { clientOwner, environment, hardened, restrictedPod, tmpMount, tmpVolume } from "../plan/containers";
import { clusterLabel, poolerName, poolerPorts, roleLabel, serviceHost } from "../plan/names";
import { asset } from "../shell/asset";
import { type StepContext } from "../shell/progress";
import { type Subject } from "./health";
import { runOnce } from "./shortPod";

/** Whether the network policies hold, asked by packet: a pod that no flow lists tries to reach what the health check's client reached. */

/** Pods with this label have no flow beside DNS. */
const labelsOf = (cluster: string) => ({ [roleLabel]: "stranger", [clusterLabel]: cluster });

/** How long a connection may take to be made; a policy that drops packets takes all of it. */
const CONNECT_SECONDS = 3;
/** How often it is tried where it is made: some networks close a new pod a moment after it has started. */
const TRIES = 4;
const DEADLINE_SECONDS = 60;

const script = asset(__dirname, "stranger.sh");

/** The primary, and the poolers. */
const placesOf = ({
  settings: { cluster, poolers },
  plan: { endpoints },
}: Pick<Subject, "settings" | "plan">): string[] => [
  `${endpoints.primary.host}:${endpoints.primary.port}`,
  ...poolers.map(
    ({ name }) => `${serviceHost(poolerName(cluster.name, name), cluster.namespace)}:${poolerPorts.service}`,
  ),
];

export function strangerPod(subject: Pick<Subject, "settings" | "plan">, name: string): object {
  const { settings } = subject;
  const { cluster, images } = settings;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: cluster.namespace, labels: labelsOf(cluster.name) },
    spec: {
      restartPolicy: "Never",
      activeDeadlineSeconds: DEADLINE_SECONDS,
      ...restrictedPod(settings, clientOwner, 1),
      containers: [
        {
          name: "client",
          image: images.postgresql,
          command: ["bash", "-c", script],
          env: environment({
            PLACES: placesOf(subject).join(" "),
            CONNECT_SECONDS: String(CONNECT_SECONDS),
            TRIES: String(TRIES),
          }),
          securityContext: hardened,
          resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "500m", memory: "64Mi" } },
          volumeMounts: [tmpMount],
        },
      ],
      volumes: [tmpVolume({ medium: "Memory", sizeLimit: "1Mi" })],
    },
  };
}

/** What the stranger's lines mean: nothing, or what is to be said loudly. */
export function warningOf(lines: readonly string[], wanted: number, why: string): string | undefined {
  const of = (verdict: string) =>
    lines.flatMap((line) => (line.startsWith(`${verdict} `) ? [line.slice(verdict.length + 1)] : []));
  const open = of("open");
  if (open.length > 0)
    return (
      `warning: network policies are not enforced in this Kubernetes cluster: a pod that nothing lists has reached ${open.sort().join(" and ")}. ` +
      "Every pod can try passwords there. Fix: run a network plugin that enforces NetworkPolicies (with EKS its policy agent must be on; " +
      "with k3d make the cluster again), and run `make up` again."
    );
  if (of("closed").length === wanted) return undefined;
  return `warning: whether network policies are enforced could not be asked: ${of("unknown").length > 0 ? "the pod that asked found no names" : `the pod that asked ended as ${why}`}.`;
}

/** Asks; the answer is what is to be said, nothing where the policies hold. */
export async function askStranger(subject: Subject, context: StepContext): Promise<string | undefined> {
  const { cluster } = subject.settings;
  const { lines, why } = await runOnce(subject, context, {
    prefix: "pgp-stranger",
    labels: labelsOf(cluster.name),
    seconds: DEADLINE_SECONDS,
    pod: (name) => strangerPod(subject, name),
  });
  const warning = warningOf(lines, placesOf(subject).length, why);
  context.say(warning ?? "a pod that nothing lists reaches neither the primary nor a pooler");
  return warning;
}
