/** Stacks whose resource graphs are kept. */
export const stacks = ["local", "cnpg", "dev", "prod", "standalone"] as const;

/** Graphs of stacks whose passwords have another owner than the stack. */
export const variants: Readonly<Record<string, { readonly of: string; readonly secrets: object }>> = {
  // The seed's: two secrets of AWS Secrets Manager, read by External Secrets.
  "cnpg-secrets": {
    of: "cnpg",
    secrets: {
      source: "aws-secrets-manager",
      region: "eu-central-1",
      roleArn: "arn:aws:iam::123456789012:role/postgres-secrets",
      roles: [{ role: "app" }, { role: "pgp_admin" }],
    },
  },
  "standalone-secrets": { of: "standalone", secrets: { source: "external" } },
};
