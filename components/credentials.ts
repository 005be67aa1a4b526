import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { base64 } from "../plan/base64";
import type { Credential, PasswordFiles } from "../plan/plan";
import { passwordId } from "../plan/postgres/rotation";

export interface CredentialsArgs {
  /** Namespace of the Secrets. */
  readonly namespace: string;
  /** The passwords to generate, but for those that another owner gives. Removing one deletes its Secret; the role is the engine's matter. */
  readonly credentials: readonly Credential[];
  /**
   * One more Secret with passwords of several of them.
   * @default - none
   */
  readonly combined?: PasswordFiles;
}

/** Letters and digits alone go unescaped into URIs, ini files and connection strings; 32 of them are 190 bits. */
export const passwordForm = { length: 32, special: false };

const reference = /\{password:([a-z0-9-]+(?:\.\d+)?)\}/g;

/** Puts passwords in the place of `{password:<id>}`. */
export function fillIn(template: string, passwords: Readonly<Record<string, string>>): string {
  return template.replace(reference, (_, id: string) => {
    const password = passwords[id];
    if (password === undefined) throw new Error(`no credential "${id}" for the template of a Secret`);
    return password;
  });
}

/** Ids of the passwords that credentials hold or refer to. */
function passwordIds(credentials: readonly Credential[]): string[] {
  const held = credentials
    .filter(({ elsewhere }) => elsewhere !== "given")
    .map(({ id, credentialVersion }) => passwordId(id, credentialVersion));
  const templates = credentials.flatMap(({ extraKeys }) => Object.values(extraKeys));
  const referred = templates.flatMap((text) => [...text.matchAll(reference)].map(([, id = ""]) => id));
  return [...new Set([...held, ...referred])];
}

/** Name of a password's resource: that of the first credential version has no number. */
const passwordName = (id: string): string =>
  id.replace(
    /^(.*?)(?:\.(\d+))?$/,
    (_, credential: string, credentialVersion?: string) =>
      `${credential}-password${credentialVersion === undefined ? "" : `-${credentialVersion}`}`,
  );

/** Generated passwords, each in a Secret of its own. */
export class Credentials extends pulumi.ComponentResource {
  /** The generated passwords, by their ids. */
  public readonly passwords: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: CredentialsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Credentials", name, {}, options);

    this.passwords = Object.fromEntries(
      passwordIds(args.credentials).map((id) => [
        id,
        new RandomPassword(`${name}-${passwordName(id)}`, passwordForm, { parent: this }).result,
      ]),
    );
    const all = pulumi.output(this.passwords);
    const filledIn = (texts: Readonly<Record<string, string>>) =>
      all.apply((passwords) =>
        Object.fromEntries(
          Object.entries(texts).map(([key, template]) => [key, base64(fillIn(template, passwords))]),
        ),
      );

    for (const credential of args.credentials) {
      if (credential.elsewhere !== undefined) continue;
      const data = filledIn({
        username: credential.role,
        password: `{password:${passwordId(credential.id, credential.credentialVersion)}}`,
        ...credential.extraKeys,
      });
      new Secret(
        `${name}-${credential.id}-secret${credential.internal ? `-${credential.credentialVersion}` : ""}`,
        {
          metadata: {
            name: credential.secretName,
            namespace: args.namespace,
            labels: credential.labels,
            annotations: { "pgplatform.io/why": credential.why },
          },
          type: credential.type,
          data: pulumi.secret(data),
        },
        { parent: this },
      );
    }
    if (args.combined)
      new Secret(
        `${name}-together`,
        {
          metadata: {
            name: args.combined.secretName,
            namespace: args.namespace,
            labels: args.combined.labels,
            annotations: { "pgplatform.io/why": args.combined.why },
          },
          data: pulumi.secret(filledIn(args.combined.keys)),
        },
        { parent: this },
      );
    this.registerOutputs({});
  }
}
