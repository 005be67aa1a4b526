import { type KubeObject } from "./kubectl";
import { serverContainer } from "../plan/names";

/** A pod that doesn't get going, and why. */
export interface Stuck {
  readonly uid: string;
  readonly pod: string;
  /** As Kubernetes writes it, such as `ImagePullBackOff`. */
  readonly reason: string;
  /** The whole story, without the pod's name. */
  readonly why: string;
  /** Whether its server has ever run, in a pod that has one, or else any container apart from those that prepare the pod. */
  readonly everRan: boolean;
  /** What made it, and would recreate it: a StatefulSet, a Job, an operator's object. */
  readonly owner: { readonly kind: string; readonly name: string } | undefined;
  /** Names of the claims of its volumes. */
  readonly claims: readonly string[];
  /** Images of its containers, apart from those that prepare it. */
  readonly images: readonly string[];
}

interface ContainerState {
  name: string;
  image: string;
  restartCount?: number;
  state?: { waiting?: { reason?: string; message?: string }; running?: object; terminated?: object };
  /** Its last end; the message is the container's own, where its specification asks for that. */
  lastState?: { terminated?: { message?: string } };
}

interface Volume {
  persistentVolumeClaim?: { claimName: string };
}

interface PodMetadata {
  uid?: string;
  deletionTimestamp?: string;
}

interface PodStatus {
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
  initContainerStatuses?: ContainerState[];
  containerStatuses?: ContainerState[];
}

const IMAGE_SECONDS = 60;

/**
 * For how long a pod may wait for each reason before the update is given up, in seconds. An image that isn't there or a Secret
 * that is missing doesn't come by waiting; a crash loop may be a server that waits for another; a pod without a node may be
 * waiting for an autoscaler's new one.
 */
export const patienceSeconds: Readonly<Record<string, number>> = {
  ErrImagePull: IMAGE_SECONDS,
  ImagePullBackOff: IMAGE_SECONDS,
  ErrImageNeverPull: IMAGE_SECONDS,
  InvalidImageName: IMAGE_SECONDS,
  CreateContainerConfigError: 60,
  CreateContainerError: 60,
  CrashLoopBackOff: 180,
  Unschedulable: 300,
};

/** What made an object, and would recreate it. */
export const ownerOf = ({ metadata }: KubeObject): Stuck["owner"] =>
  (metadata as { ownerReferences?: { kind: string; name: string }[] }).ownerReferences?.[0];

/** An instance's pod, and never a Job's, whose server has never run. */
export const isIdle = ({ everRan, owner }: Stuck): boolean => !everRan && owner?.kind !== "Job";

/** Images of the containers of a pod's specification, apart from those that prepare it. */
export const imagesIn = (spec: Record<string, unknown> | undefined): string[] =>
  ((spec?.containers ?? []) as { image: string }[]).map(({ image }) => image).sort();

/** Reasons that take turns while the same thing goes wrong. */
const kindOf = (reason: string): string => (reason === "ErrImagePull" ? "ImagePullBackOff" : reason);

const shortened = (text: string): string => (text.length > 160 ? `${text.slice(0, 157)}...` : text);

/** The last line that a container printed before it ended. */
const lastWords = (message = ""): string =>
  (message.trim().split("\n").at(-1) ?? "").slice(0, 400).replace(/\.$/, "");

/** Why a pod doesn't get going, by what it says now; undefined for one that runs, starts or ends. */
export function stuck(pod: KubeObject): Stuck | undefined {
  const { metadata } = pod as KubeObject & { metadata: PodMetadata };
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const status = (pod.status ?? {}) as PodStatus;
  const main = status.containerStatuses ?? [];
  const containers = [...(status.initContainerStatuses ?? []), ...main];
  const server = main.filter(({ name }) => name === serverContainer);
  const everRan = (server.length > 0 ? server : main).some(
    ({ restartCount = 0, state }) =>
      restartCount > 0 || state?.running !== undefined || state?.terminated !== undefined,
  );
  const found = (reason: string, why: string): Stuck => ({
    uid: metadata.uid ?? metadata.name,
    pod: metadata.name,
    reason: kindOf(reason),
    why,
    everRan,
    owner: ownerOf(pod),
    claims: ((pod.spec?.volumes ?? []) as Volume[]).flatMap(
      ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
    ),
    images: imagesIn(pod.spec),
  });
  const scheduled = status.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable")
    return found("Unschedulable", `no node takes it (${shortened(scheduled.message ?? "Unschedulable")})`);
  // The one that waiting helps least: another that crashes meanwhile, and runs now and then, must not hide it.
  const [worst] = containers
    .flatMap(({ name, image, state, lastState }) => {
      const { reason = "", message = "" } = state?.waiting ?? {};
      const seconds = patienceSeconds[reason];
      const said = lastWords(lastState?.terminated?.message);
      return seconds === undefined ? [] : [{ name, image, reason, message, said, seconds }];
    })
    .sort((a, b) => a.seconds - b.seconds);
  if (worst === undefined) return undefined;
  const { name, image, reason, message, said } = worst;
  const more = said !== "" ? `: ${said}` : message === "" ? "" : ` (${shortened(message)})`;
  return found(reason, `container ${name} waits with ${reason}, image ${image}${more}`);
}

/** Whether a pod waits for an image that can't be had. */
export const waitsForImage = (pod: KubeObject): boolean =>
  ["ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"].includes(stuck(pod)?.reason ?? "");

/** Remembers since when each pod has been stuck, and says which of them is past patience. */
export class Patience {
  private readonly since = new Map<string, number>();

  /** `now` in milliseconds; `seen` is every pod that is stuck at this moment; `more` is how many seconds longer than others one may be. */
  exhausted(seen: readonly Stuck[], now: number, more: (one: Stuck) => number = () => 0): Stuck[] {
    const keys = new Set(seen.map(keyOf));
    for (const key of this.since.keys()) if (!keys.has(key)) this.since.delete(key);
    return seen.filter((one) => {
      const since = this.since.get(keyOf(one)) ?? now;
      this.since.set(keyOf(one), since);
      return now - since >= ((patienceSeconds[one.reason] ?? Infinity) + more(one)) * 1000;
    });
  }
}

const keyOf = ({ uid, reason }: Stuck): string => `${uid} ${reason}`;

/** What is said when an update is given up. */
export const givenUp = (stuckPods: readonly Stuck[]): string[] => [
  ...stuckPods.map(({ pod, reason, why }) => {
    const seconds = patienceSeconds[reason];
    return `Pod ${pod} has not started for ${seconds} s: ${why}.`;
  }),
  "The update was stopped; what ran before keeps running. Put the old settings back or fix the cause, and run `make up` again.",
];
