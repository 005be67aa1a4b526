import { createRequire } from "node:module";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { base64 } from "../../plan/base64";
import type { StorePlan } from "../../plan/secrets/store";
import { onDemand } from "../onDemand";
import { registerObjects } from "../register";

const load = createRequire(__filename);

/** Read only where something is written: programs without it need no provider of AWS. */
const aws = () =>
  onDemand(
    load,
    "./written",
    "@pulumi/aws",
    "The setting secrets.direction written",
  ) as typeof import("./written");

export interface SecretStoreArgs {
  /** The store, what copies out of it, and what the stack writes into it. */
  readonly plan: StorePlan;
  /** Namespace of the Secrets. */
  readonly namespace: string;
  /** The generated passwords, by their ids. */
  readonly passwords: Readonly<Record<string, pulumi.Output<string>>>;
  /** Value of a setting that may be an output. */
  readonly value: (text: string) => pulumi.Output<string>;
}

/** Logins that External Secrets copies out of AWS Secrets Manager; complete when each is there. */
export class SecretStore extends pulumi.ComponentResource {
  constructor(name: string, args: SecretStoreArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:SecretStore", name, {}, options);
    const { key, written, objects } = args.plan;
    const dependsOn = [
      ...(key ? [this.key(name, key, args)] : []),
      ...(written
        ? [
            new (aws().WrittenSecrets)(
              `${name}-written`,
              { plan: written, passwords: args.passwords },
              { parent: this },
            ),
          ]
        : []),
    ];
    registerObjects(name, objects, { parent: this, dependsOn });
    this.registerOutputs({});
  }

  private key(
    name: string,
    { secretName, labels, accessKeyId, secretAccessKey }: NonNullable<StorePlan["key"]>,
    { namespace, value }: SecretStoreArgs,
  ): Secret {
    const data = pulumi
      .all([value(accessKeyId), value(secretAccessKey)])
      .apply(([id, secret]) => ({ accessKeyId: base64(id), secretAccessKey: base64(secret) }));
    return new Secret(
      `${name}-key`,
      {
        metadata: {
          name: secretName,
          namespace,
          labels,
          annotations: { "pgplatform.io/why": "External Secrets reads AWS Secrets Manager with it" },
        },
        data: pulumi.secret(data),
      },
      { parent: this },
    );
  }
}
