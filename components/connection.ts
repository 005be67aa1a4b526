import * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../plan/plan";
import { credentialOf } from "../plan/postgres/roles";
import { passwordId } from "../plan/postgres/rotation";
import type { DatabaseSettings } from "../settings/schema";

/** How the owner of a database logs in. */
export interface OwnerLogin {
  readonly database: string;
  readonly role: string;
  readonly secretName: string;
  readonly password: pulumi.Output<string>;
}

export function ownerLogin(
  { credentials }: Plan,
  passwords: Readonly<Record<string, pulumi.Output<string>>>,
  database: DatabaseSettings | undefined,
): OwnerLogin {
  if (database === undefined) throw new Error("settings without a database were not checked");
  const { id, role, secretName, credentialVersion } = credentialOf(credentials, database.owner);
  const password = passwords[passwordId(id, credentialVersion)];
  if (password === undefined) throw new Error(`no password for ${database.owner}`);
  return { database: database.name, role, secretName, password };
}

/** A URI with the password in it, a secret; `more` are further parameters of libpq. */
export const uriOf = (
  { database, role, password }: OwnerLogin,
  { host, port }: { readonly host: pulumi.Input<string>; readonly port: number },
  more = "",
): pulumi.Output<string> =>
  pulumi.secret(
    pulumi.interpolate`postgresql://${role}:${password}@${host}:${port}/${database}?sslmode=verify-full&sslrootcert=ca.crt${more}`,
  );
