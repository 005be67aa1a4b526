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
  /** The password that a registry's setting stands for. @default - the setting itself */
  readonly value?: (password: string) => pulumi.Output<string>;
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
    const { registries, value = pulumi.output } = args;
    const content = pulumi
      .all(registries.map(({ password }) => value(password)))
      .apply((passwords) =>
        dockerConfig(registries.map((one, index) => ({ ...one, password: passwords[index] ?? "" }))),
      );
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
        data: pulumi.secret({ ".dockerconfigjson": content.apply(base64) }),
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
