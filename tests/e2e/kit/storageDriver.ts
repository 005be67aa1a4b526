import { setTimeout as delay } from "node:timers/promises";
import { type Kubectl, type KubeObject } from "../../../operations/kubectl";
import { bytesOf } from "../../../settings/quantity";
import { say } from "./wait";

interface Claim extends KubeObject {
  spec: { storageClassName?: string; volumeName?: string; resources: { requests: { storage: string } } };
  status?: { capacity?: { storage?: string } };
}

const LOOK_SECONDS = 1;

/** The claims of a namespace: what each asks for, and what it has. */
export async function claimsOf(kubectl: Kubectl, namespace: string): Promise<Claim[]> {
  const { stdout } = await kubectl.run(["-n", namespace, "get", "persistentvolumeclaims", "-o", "json"]);
  return (JSON.parse(stdout) as { items: Claim[] }).items;
}

export const capacityOf = ({ status }: Claim): string | undefined => status?.capacity?.storage;

/**
 * Does the part of a storage driver that grows volumes: the built-in cluster's has none, since its volumes are folders that
 * nothing holds to their size. It does what is left to do then: it says that the volume has the size which its claim asks for.
 */
export class GrowingVolumes {
  private ended = false;
  private readonly work: Promise<void>;

  private constructor(
    private readonly kubectl: Kubectl,
    private readonly namespace: string,
    private readonly storageClass: string,
  ) {
    this.work = this.growClaims();
  }

  /** Lets the class of the namespace's claims grow volumes, and answers them. */
  static async start(kubectl: Kubectl, namespace: string): Promise<GrowingVolumes> {
    const storageClass = (await claimsOf(kubectl, namespace))[0]?.spec.storageClassName;
    if (storageClass === undefined) throw new Error(`no volume of ${namespace} has a storage class`);
    await allow(kubectl, storageClass, true);
    return new GrowingVolumes(kubectl, namespace, storageClass);
  }

  /** The class is again as it was. */
  async stop(): Promise<void> {
    this.ended = true;
    await this.work;
    await allow(this.kubectl, this.storageClass, false);
  }

  private async growClaims(): Promise<void> {
    while (!this.ended) {
      // The operator may write the same claim at the same moment: the next round grows it.
      await this.growAll().catch((error: unknown) => say((error as Error).message));
      await delay(LOOK_SECONDS * 1000);
    }
  }

  private async growAll(): Promise<void> {
    for (const claim of await claimsOf(this.kubectl, this.namespace)) {
      const [wanted, has] = [claim.spec.resources.requests.storage, capacityOf(claim)];
      const { volumeName } = claim.spec;
      if (has === undefined || volumeName === undefined || (bytesOf(wanted) ?? 0) <= (bytesOf(has) ?? 0))
        continue;
      const capacity = { capacity: { storage: wanted } };
      await this.patch(["persistentvolume", volumeName], { spec: capacity });
      const own = ["-n", this.namespace, "persistentvolumeclaim", claim.metadata.name];
      await this.patch([...own, "--subresource=status"], { status: capacity });
    }
  }

  private async patch(at: readonly string[], patch: object): Promise<void> {
    await this.kubectl.run(["patch", ...at, "--type=merge", "-p", JSON.stringify(patch)]);
  }
}

async function allow(kubectl: Kubectl, storageClass: string, allowVolumeExpansion: boolean): Promise<void> {
  const patch = JSON.stringify({ allowVolumeExpansion });
  await kubectl.run(["patch", "storageclass", storageClass, "--type=merge", "-p", patch]);
}
