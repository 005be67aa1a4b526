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
  /** Undefined where another owner gives it, whom the stack doesn't ask. */
  readonly password?: pulumi.Output<string>;
}

export function ownerLogin(
  { credentials }: Plan,
  passwords: Readonly<Record<string, pulumi.Output<string>>>,
  database: DatabaseSettings | undefined,
): OwnerLogin {
  if (database === undefined) throw new Error("settings without a database were not checked");
  const { id, role, secretName, credentialVersion, elsewhere } = credentialOf(credentials, database.owner);
  const login = { database: database.name, role, secretName };
  if (elsewhere === "given") return login;
  const password = passwords[passwordId(id, credentialVersion)];
  if (password === undefined) throw new Error(`no password for ${database.owner}`);
  return { ...login, password };
}

/** A URI with the password in it where the stack has it, a secret; `more` are further parameters of libpq. */
export const uriOf = (
  { database, role, password }: OwnerLogin,
  { host, port }: { readonly host: pulumi.Input<string>; readonly port: number },
  more = "",
): pulumi.Output<string> =>
  pulumi.secret(
    pulumi.interpolate`postgresql://${role}${password === undefined ? "" : pulumi.interpolate`:${password}`}@${host}:${port}/${database}?sslmode=verify-full&sslrootcert=ca.crt${more}`,
  );
