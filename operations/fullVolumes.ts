import type { Shape } from "../plan/engines/live";
import { bytesOf } from "../settings/quantity";
import { UserError } from "../shell/userError";
import { type StepContext } from "../shell/progress";
import { plannedCluster, type Subject } from "./health";
import { resourceOf, selectorOf } from "./kubectl";

/** A claim of the volume that is full, or may be. */
export interface FullClaim {
  readonly name: string;
  readonly size: string;
  /** What the stack file asks for. */
  readonly planned: string;
}

const GiB = 2 ** 30;

/** The setting of the volume that has the WAL, which is what fills. */
const settingOf = ({ log }: Shape): string => `pgplatform:cluster.storage.${log ? "walSize" : "size"}`;

/** The claims with the WAL of a cluster that was stopped since a volume is full; undefined for one that runs. */
export async function fullClaims(subject: Subject): Promise<FullClaim[] | undefined> {
  const { kubectl, live, settings } = subject;
  const { fullVolumes } = live;
  if (fullVolumes === undefined) return undefined;
  const { object, shape } = plannedCluster(subject);
  const { name, namespace } = settings.cluster;
  const there = await kubectl
    .get(resourceOf(object.apiVersion, object.kind), namespace, name)
    // Before the first installation the kind isn't known.
    .catch(() => undefined);
  if (there === undefined || !fullVolumes.stopped(there)) return undefined;
  const claims = await kubectl.list(
    "persistentvolumeclaims",
    namespace,
    selectorOf(fullVolumes.claims(name)),
  );
  return claims
    .filter((claim) => fullVolumes.role(claim) === (shape.log ? "log" : "data"))
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      size: (spec as { resources: { requests: { storage: string } } }).resources.requests.storage,
      planned: (shape.log ?? shape.data).size,
    }));
}

const isLarger = ({ size, planned }: FullClaim): boolean => (bytesOf(planned) ?? 0) > (bytesOf(size) ?? 0);

const patchOf = (size: string): string =>
  JSON.stringify({ spec: { resources: { requests: { storage: size } } } });

/** Twice what a claim has, in whole gibibytes. */
const doubled = (size: string): string => `${Math.ceil(((bytesOf(size) ?? GiB) * 2) / GiB)}Gi`;

/** What to do about a full volume: through the stack file, and without this program. */
export function fullLines(subject: Subject, claims: readonly FullClaim[]): string[] {
  const { kubectl, settings } = subject;
  const tool = ["kubectl", ...kubectl.flags, "-n", settings.cluster.namespace].join(" ");
  const { shape } = plannedCluster(subject);
  return [
    `PostgreSQL is stopped: a volume with the WAL is full. Raise ${settingOf(shape)} above ${(shape.log ?? shape.data).size} and run \`make up\`, ` +
      "which grows the volumes; find out also why WAL stays: an archive that fails, or a replication slot that isn't read. The same by hand:",
    ...claims.map((claim) => {
      const size = isLarger(claim) ? claim.planned : doubled(claim.size);
      return `  ${tool} patch persistentvolumeclaim ${claim.name} --type merge -p '${patchOf(size)}'`;
    }),
  ];
}

/** Grows full volumes to what the stack file asks for: the operator itself would wait until they have room. */
export async function growFull(subject: Subject, context: StepContext): Promise<void> {
  const claims = await fullClaims(subject);
  if (claims === undefined) return;
  const growing = claims.filter(isLarger);
  if (growing.length === 0) throw new UserError(fullLines(subject, claims));
  const { namespace } = subject.settings.cluster;
  for (const { name, size, planned } of growing) {
    context.say(`${name} is full: it grows from ${size} to ${planned}`);
    await subject.kubectl.run([
      ...["-n", namespace, "patch", "persistentvolumeclaim", name],
      ...["--type", "merge", "-p", patchOf(planned)],
    ]);
  }
}
