import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../plan/plan";
import { registerObjects } from "./register";
import { type Overlay } from "../plan/objects";

export interface ClusterArgs {
  /** The engine's plan of the database cluster. */
  readonly plan: Plan;
  /** Namespace of the cluster. */
  readonly namespace: string;
  /**
   * Certificate of the authority, in PEM, where the engine doesn't sign by itself.
   * @default - read from the Secret in which the engine keeps it
   */
  readonly authorityPem?: pulumi.Output<string>;
  /**
   * Name of the archive's generation, which the plan leaves open.
   * @default - nothing is archived
   */
  readonly generation?: pulumi.Output<string>;
  /**
   * Merged into the planned objects, by their ids.
   * @default - the objects as planned
   */
  readonly transform?: Readonly<Record<string, Overlay>>;
}

const decoded = (text: string | undefined): string => Buffer.from(text ?? "", "base64").toString("utf8");

/** PostgreSQL itself; complete when the engine calls the cluster ready. */
export class Cluster extends pulumi.ComponentResource {
  /** Certificate of the authority that signed the servers' certificates, in PEM; unknown until the cluster is ready. */
  public readonly authorityPem: pulumi.Output<string>;

  constructor(name: string, args: ClusterArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Cluster", name, {}, options);
    const objects = registerObjects(
      name,
      args.plan.objects,
      { parent: this },
      args.transform,
      args.generation,
    );

    this.authorityPem = args.authorityPem ?? this.engineAuthority(name, args, objects);
    this.registerOutputs({ authorityPem: this.authorityPem });
  }

  /** The engine makes the authority together with the cluster: the ids of the objects are unknown until then, and so is this one. */
  private engineAuthority(
    name: string,
    { plan, namespace }: ClusterArgs,
    objects: Readonly<Record<string, pulumi.CustomResource>>,
  ): pulumi.Output<string> {
    const { secretName, key } = plan.tls.authority;
    const ids = pulumi.all(Object.values(objects).map(({ id }) => id));
    const authority = Secret.get(
      `${name}-authority`,
      ids.apply(() => `${namespace}/${secretName}`),
      { parent: this },
    );
    // A certificate is no secret, though it lies in one.
    return pulumi.unsecret(authority.data.apply((data) => decoded(data?.[key])));
  }
}
