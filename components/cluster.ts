import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../plan/plan";
import { registerObjects } from "./register";

export interface ClusterArgs {
  /** The engine's plan of the database cluster. */
  readonly plan: Plan;
  /** Namespace of the cluster. */
  readonly namespace: string;
  /**
   * Certificate of the CA, in PEM, where the engine doesn't sign by itself.
   * @default - read from the Secret in which the engine keeps it
   */
  readonly caCertificate?: pulumi.Output<string>;
  /**
   * What is known when the CA's Secret is there, where it may come later than the cluster.
   * @default - the Secret comes with the cluster, or was there before
   */
  readonly after?: pulumi.Output<unknown>;
  /**
   * The archive's ID, which the plan leaves open.
   * @default - nothing is archived
   */
  readonly archiveId?: pulumi.Output<string>;
}

const decoded = (text: string | undefined): string => Buffer.from(text ?? "", "base64").toString("utf8");

/** PostgreSQL itself; complete when the engine calls the cluster ready. */
export class Cluster extends pulumi.ComponentResource {
  /** Certificate of the CA that signed the servers' certificates, in PEM; unknown until the cluster is ready. */
  public readonly caCertificate: pulumi.Output<string>;

  constructor(name: string, args: ClusterArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Cluster", name, {}, options);
    const objects = registerObjects(name, args.plan.objects, { parent: this }, {}, args.archiveId);

    this.caCertificate = args.caCertificate ?? this.engineCa(name, args, objects);
    this.registerOutputs({ caCertificate: this.caCertificate });
  }

  /** The engine makes the CA together with the cluster: the ids of the objects are unknown until then, and so is this one. */
  private engineCa(
    name: string,
    { plan, namespace, after }: ClusterArgs,
    objects: Readonly<Record<string, pulumi.CustomResource>>,
  ): pulumi.Output<string> {
    // A restore whose source is looked into first.
    if (plan.objects.length === 0) return pulumi.output("");
    const { secretName, key } = plan.tls.ca;
    const ids = pulumi.all([...Object.values(objects).map(({ id }) => id), after]);
    const ca = Secret.get(
      `${name}-ca`,
      ids.apply(() => `${namespace}/${secretName}`),
      { parent: this },
    );
    // A certificate is no secret, though it lies in one.
    return pulumi.unsecret(ca.data.apply((data) => decoded(data?.[key])));
  }
}
