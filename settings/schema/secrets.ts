import * as z from "zod";
import { atOnce, documented, integer, label, oneOf, quoted, sqlName } from "./types";

/** Who owns the passwords of which roles: which settings each source has, needs and refuses. */

const sources = ["generated", "external", "aws-secrets-manager"] as const;
export type SecretSource = (typeof sources)[number];

const followed =
  "What PostgreSQL has follows within two minutes, without a restart: with an overlap where the username changes to the role's other login.";

const source = <S extends SecretSource>(own: S) =>
  documented(z.literal(own), {
    means:
      "Who owns the passwords of owners, cluster.roles and the admin. generated: the stack makes them, and keeps them encrypted in its state; external: another program " +
      "makes their Secrets (Vault, SOPS, sealed secrets); aws-secrets-manager: External Secrets copies them out of AWS Secrets Manager. Default: generated.",
    change: `A change has other Secrets, whose names applications must learn: see docs/secrets.md. ${followed}`,
    allowed: sources.join(", "),
  });

const overlapMinutes = integer(
  "How long the login that was in use before stays valid at least, after the Secret named the other one; then it is closed as soon as no session uses it. " +
    "Not with the source generated, which has rotation.overlapMinutes. Default: 10.",
  1,
  1440,
  atOnce,
  "minutes",
).default(10);

const secretKey = (means: string) =>
  documented(z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/), {
    means,
    change: followed,
    allowed: "a key of a Secret: at most 253 letters, digits, hyphens, dots and underscores",
    fix: "write it as the Secret does",
  });

const role = sqlName(
  "Role whose password it is: an owner, one of cluster.roles that logs in, pgp_admin, pgp_backup with the engine standalone and backup, or pgp_metrics with zalando.",
  followed,
);

const usernameKey = secretKey(
  "Key of the username: in the Secret, or in the JSON text that Secrets Manager has. Default: username.",
).default("username");
const passwordKey = secretKey("Key of the password, in the same place. Default: password.").default(
  "password",
);

const roles = <T extends z.ZodType>(element: T) =>
  documented(z.array(element).min(1), {
    means:
      "Roles whose passwords the source owns; the stack generates those of all others. Not with the source generated. " +
      "Default: the owners, cluster.roles that log in, and pgp_admin.",
    change: followed,
    allowed: "at least one { role }",
    fix: "name a role, or leave the list out",
  });

const secretName = documented(z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/), {
  means:
    "Name of the Secret with the login, in the cluster's namespace. Default: `<cluster>-login-<id>`, with app, admin, owner-, role-, backup or metrics as docs/secrets.md says.",
  change: followed,
  allowed: "the name of a Secret: lower-case letters, digits, hyphens and dots",
  fix: "correct it",
}).optional();

const remoteKey = documented(z.string().regex(/^[\w/+=.@-]{1,512}$/), {
  means:
    "Name of the secret in AWS Secrets Manager; only with the source aws-secrets-manager. Default: `postgres/<id>-credentials`, so postgres/app-credentials and postgres/admin-credentials.",
  change: followed,
  allowed: "a name of at most 512 letters, digits and /_+=.@-",
  fix: "write it as Secrets Manager does",
}).optional();

const direction = oneOf(
  ["read", "written"],
  "Who writes into AWS Secrets Manager; only with the source aws-secrets-manager. read: another program, and the stack never sees the passwords; written: the stack makes " +
    "each secret with a generated password, encrypted in its state, and reads it back by the same way. Default: read.",
  "From read to written the stack makes secrets of these names, which must not be there.",
).default("read");

const region = documented(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/), {
  means:
    "Region of AWS Secrets Manager; only with the source aws-secrets-manager, and not where store.name names a store that is there and nothing is written. Default: none.",
  change: followed,
  allowed: "a region such as eu-central-1",
  fix: "write it as AWS does",
}).optional();

const store = z
  .strictObject({
    kind: oneOf(
      ["SecretStore", "ClusterSecretStore"],
      "Kind of External Secrets' store; only with the source aws-secrets-manager. A ClusterSecretStore that the stack makes is for the cluster's namespace alone. Default: SecretStore.",
      "A change makes another store.",
    ).default("SecretStore"),
    name: label(
      "Name of a store that is there; only with the source aws-secrets-manager. Default: none, the stack makes one.",
      63,
      "A change reads from the other store.",
    ).optional(),
  })
  .prefault({});

const refreshSeconds = integer(
  "How often External Secrets looks into AWS Secrets Manager; only with the source aws-secrets-manager. It adds to the time until PostgreSQL follows. Default: 15.",
  5,
  3600,
  atOnce,
  "seconds",
).default(15);

const roleArn = documented(
  z.string().regex(/^arn:aws(-[a-z]+)*:iam::\d{12}:role\/([\w+=,.@-]+\/)*[\w+=,.@-]{1,64}$/),
  {
    means:
      "Role of AWS with which External Secrets reads (IRSA), by a service account that the stack makes; only with the source aws-secrets-manager, on EKS, without `credentials`. " +
      "Default: none, External Secrets reads with what its own pod has.",
    change: atOnce,
    allowed: "the ARN of a role such as arn:aws:iam::123456789012:role/shop-secrets",
    fix: "copy it from IAM",
  },
).optional();

const credentials = z
  .strictObject({
    accessKeyId: documented(z.string().min(3), {
      means:
        "Identifier of the access key with which External Secrets reads, and may do nothing else; only with the source aws-secrets-manager.",
      change: atOnce,
      allowed: "a text of at least 3 characters",
      fix: "copy it from IAM, and write it in quotes",
      numbers: quoted,
    }),
    secretAccessKey: documented(z.string().min(8), {
      means:
        "The key itself, encrypted in the stack file: pulumi config set --secret --path 'pgplatform:secrets.credentials.secretAccessKey'.",
      change: atOnce,
      allowed: "a text of at least 8 characters that Pulumi has encrypted",
      fix: "set it with pulumi config set --secret --path",
      numbers: quoted,
      secret: true,
    }),
  })
  .optional();

/** The words for a setting that belongs to other sources; `shown` in the place of a value that is long or secret. */
const foreign = (own: SecretSource, others: readonly SecretSource[], shown?: string) =>
  z
    .never()
    .optional()
    .meta({
      allowed: `must not be set with the source ${own}`,
      fix: `leave it out, or use the source ${others.join(" or ")}`,
      foreign: true,
      ...(shown !== undefined && { shown }),
    });

const ofStore = (own: SecretSource) => {
  const aws = ["aws-secrets-manager"] as const;
  return {
    direction: foreign(own, aws),
    region: foreign(own, aws),
    store: foreign(own, aws),
    refreshSeconds: foreign(own, aws),
    roleArn: foreign(own, aws),
    credentials: foreign(own, aws, "given"),
  };
};

const externalRole = z.strictObject({
  role,
  secretName,
  remoteKey: foreign("external", ["aws-secrets-manager"]),
  usernameKey,
  passwordKey,
});
const storeRole = z.strictObject({ role, secretName, remoteKey, usernameKey, passwordKey });

/** That with all settings is the first: the reference lists its. */
export const secrets = z.discriminatedUnion("source", [
  z.strictObject({
    source: source("aws-secrets-manager"),
    overlapMinutes,
    roles: roles(storeRole).optional(),
    direction,
    region,
    store,
    refreshSeconds,
    roleArn,
    credentials,
  }),
  z.strictObject({
    source: source("external"),
    overlapMinutes,
    roles: roles(externalRole).optional(),
    ...ofStore("external"),
  }),
  z.strictObject({
    source: source("generated"),
    overlapMinutes: foreign("generated", ["external", "aws-secrets-manager"]),
    roles: foreign("generated", ["external", "aws-secrets-manager"]),
    ...ofStore("generated"),
  }),
]);

export type SecretsSettings = z.output<typeof secrets>;
