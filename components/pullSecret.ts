import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { base64 } from "../plan/base64";
import type { RegistrySettings } from "../settings/schema";

export interface PullSecretArgs {
  /** Name of the Secret. */
  readonly secretName: string;
  /** Namespace of the pods that pull with it. */
  readonly namespace: string;
  /** Whom to log in as at which registry. A change is for images that are pulled later. */
  readonly registries: readonly RegistrySettings[];
  readonly labels: Readonly<Record<string, string>>;
}

/** What container runtimes read: the logins by the registries' hosts. */
export const dockerConfig = (registries: readonly RegistrySettings[]): string =>
  JSON.stringify({
    auths: Object.fromEntries(
      registries.map(({ server, username, password }) => [
        server,
        { username, password, auth: base64(`${username}:${password}`) },
      ]),
    ),
  });

/** Logins at private registries, in one Secret. */
export class PullSecret extends pulumi.ComponentResource {
  constructor(name: string, args: PullSecretArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:PullSecret", name, {}, options);
    new Secret(
      `${name}-secret`,
      {
        metadata: {
          name: args.secretName,
          namespace: args.namespace,
          labels: args.labels,
          annotations: { "pgplatform.io/why": "pulls images from private registries" },
        },
        type: "kubernetes.io/dockerconfigjson",
        data: pulumi.secret({ ".dockerconfigjson": base64(dockerConfig(args.registries)) }),
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
