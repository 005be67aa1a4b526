import { Provider } from "@pulumi/aws/provider";
import { Secret } from "@pulumi/aws/secretsmanager/secret";
import { SecretVersion } from "@pulumi/aws/secretsmanager/secretVersion";
import * as pulumi from "@pulumi/pulumi";
import type { StorePlan } from "../../plan/secrets/store";
import { fillIn } from "../credentials";

export interface WrittenSecretsArgs {
  /** What is written where. */
  readonly plan: NonNullable<StorePlan["written"]>;
  /** The generated passwords, by their ids. */
  readonly passwords: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Secrets of AWS Secrets Manager with generated passwords. AWS keeps the version before as AWSPREVIOUS. */
export class WrittenSecrets extends pulumi.ComponentResource {
  constructor(name: string, args: WrittenSecretsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:WrittenSecrets", name, {}, options);
    const { region, recoveryDays, secrets } = args.plan;
    // As for buckets: a program may hand its own on, and the default one knows no region unless the stack's configuration says it.
    const handed = this.getProvider("aws:index:any");
    const provided =
      handed === undefined && new pulumi.Config("aws").get("region") === region
        ? {}
        : { provider: handed ?? new Provider(`${name}-provider`, { region }, { parent: this }) };
    const own = { parent: this, ...provided };
    const passwords = pulumi.output(args.passwords);
    for (const { id, name: inStore, description, content } of secrets) {
      const secret = new Secret(
        `${name}-${id}`,
        { name: inStore, description, region, recoveryWindowInDays: recoveryDays },
        own,
      );
      const text = passwords.apply((known) =>
        JSON.stringify(
          Object.fromEntries(
            Object.entries(content).map(([key, template]) => [key, fillIn(template, known)]),
          ),
        ),
      );
      new SecretVersion(
        `${name}-${id}-version`,
        { secretId: secret.id, secretString: pulumi.secret(text), region },
        own,
      );
    }
    this.registerOutputs({});
  }
}
