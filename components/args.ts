import type * as pulumi from "@pulumi/pulumi";
import type { SettingsInput } from "../settings/schema";

/** Types of the arguments that the components take: the settings of a stack file, with outputs where the cloud decides. */

type Part<Key extends keyof SettingsInput> = NonNullable<SettingsInput[Key]>;

type Opened<T, Keys extends PropertyKey> = T extends unknown
  ? {
      [Key in keyof T]: Key extends Keys
        ? pulumi.Input<NonNullable<T[Key]>> | Extract<T[Key], undefined>
        : T[Key];
    }
  : never;

type Target = NonNullable<Part<"backup">["targets"]>[number];
type TargetArgs = Target extends infer Kind
  ? Kind extends Target
    ? Opened<Omit<Kind, "credentials">, "bucket" | "account"> & {
        credentials?: Opened<NonNullable<Kind["credentials"]>, "accessKeyId" | "secretAccessKey">;
      }
    : never
  : never;

type Receiver = NonNullable<NonNullable<Part<"monitoring">["install"]>["receivers"]>[number];
type InstallArgs = Omit<NonNullable<Part<"monitoring">["install"]>, "receivers"> & {
  readonly receivers?: Opened<Receiver, "bearerToken" | "password" | "webhookUrl" | "routingKey">[];
};

type Source = Part<"secrets">;
type SecretsArgs = Source extends infer Kind
  ? Kind extends { readonly credentials?: { accessKeyId: string; secretAccessKey: string } | undefined }
    ? Omit<Kind, "credentials"> & {
        credentials?: Opened<NonNullable<Kind["credentials"]>, "accessKeyId" | "secretAccessKey">;
      }
    : Kind
  : never;

/** What one platform is made of; the settings reference (docs/settings.md) has meaning, limits and default of each. */
export interface SettingsArgs extends Omit<
  SettingsInput,
  | "kubernetes"
  | "operator"
  | "cluster"
  | "backup"
  | "registries"
  | "restore"
  | "poolers"
  | "monitoring"
  | "secrets"
> {
  readonly cluster: Opened<SettingsInput["cluster"], "namespace">;
  readonly backup?: Omit<Part<"backup">, "targets"> & { readonly targets?: TargetArgs[] };
  readonly monitoring?: Omit<Part<"monitoring">, "install"> & { readonly install?: InstallArgs };
  readonly restore?: Opened<Part<"restore">, "archiveId">;
  readonly secrets?: SecretsArgs;
  readonly registries?: Opened<Part<"registries">[number], "password">[];
}

/** The settings of one pooler. */
export type PoolerArgs<Name extends string> = Omit<Part<"poolers">[number], "name"> & { readonly name: Name };
