import type { Issuer } from "../settings/schema/tls";
import type { Endpoint, Flow, Peer } from "./network";
import type { PlannedObject } from "./objects";

/** A password to generate and the Secret that it goes into. */
export interface Credential {
  /** What it is for; also the suffix of its resources' names. */
  readonly id: string;
  /** Name of the role that logs in with it. */
  readonly role: string;
  /** Role whose rights the login has. @default - its own */
  readonly actsAs?: string;
  /** Which of the role's passwords it is: each rotation counts one more. @default 1 */
  readonly credentialVersion?: number;
  /** Who makes the Secret, and whether the stack makes the password that it has. @default - the stack makes both */
  readonly elsewhere?: "given" | "written";
  /** Keys of the Secret, where its owner calls them so. @default - `username` and `password` */
  readonly keys?: { readonly username: string; readonly password: string };
  /** Read by the engine only; another credential with the same id is the one that applications read. */
  readonly internal?: true;
  readonly secretName: string;
  readonly type: "kubernetes.io/basic-auth" | "Opaque";
  readonly labels: Record<string, string>;
  /** Further keys; `{password:<id>}` stands for the password of the credential with that id, `{password:<id>.<n>}` for that of credential version n. */
  readonly extraKeys: Record<string, string>;
  readonly why: string;
}

/** A Secret that holds passwords of several credentials; the keys of a mounted one come and go under a running pod. */
export interface PasswordFiles {
  readonly secretName: string;
  readonly labels: Record<string, string>;
  /** Texts in which `{password:<id>}` stands for the password of the credential with that id. */
  readonly keys: Record<string, string>;
  readonly why: string;
}

/** Pods that load mounted files when these change: once they have, the version is in a file of a container. */
export interface LoadedFiles {
  readonly container: string;
  readonly file: string;
  readonly version: string;
  /** File with the ID of the archive that WAL goes to, as the container sees it. @default - the engine is told otherwise */
  readonly archiveId?: string;
}

/** Statements that a superuser executes in a database; they may be executed again. */
export interface Adoption {
  readonly database: string;
  readonly statements: readonly string[];
}

export interface Plan {
  readonly objects: readonly PlannedObject[];
  readonly credentials: readonly Credential[];
  /** Passwords in one Secret, where the engine's own pods set them. @default - each in its own Secret only */
  readonly passwords?: PasswordFiles;
  /** How to see that the pods have loaded the plan's files. @default - an operator sees to it */
  readonly loaded?: LoadedFiles;
  /** What is added to data that another program made. @default - the data is the platform's own */
  readonly adoption?: readonly Adoption[];
  readonly endpoints: { readonly primary: Endpoint; readonly standbys: Endpoint; readonly any: Endpoint };
  readonly tls: {
    /** Who signs. The platform makes both Secrets before anything of the cluster, and cert-manager is asked before. */
    readonly issuer: Issuer;
    /** Names that the server's certificate carries; beside the engine's own where that signs. */
    readonly names: readonly string[];
    readonly ca: { readonly secretName: string; readonly key: string };
    readonly server: {
      readonly secretName: string;
      readonly certificateKey: string;
      readonly privateKeyKey: string;
    };
  };
  /** Every pod of the cluster, helper jobs included. */
  readonly pods: Peer;
  /** The pods that have its metrics. @default - the instances */
  readonly metricsPods?: Extract<Peer, { kind: "pods" }>;
  readonly ports: { readonly postgres: number; readonly metrics: number };
  /** How a pooler looks up the verifiers of the roles that log in through it. */
  readonly poolerLogin: { readonly role: string; readonly database: string; readonly query: string };
  readonly flows: readonly Flow[];
}

export interface OperatorPlan {
  readonly namespace: string;
  readonly podLabels: Record<string, string>;
  readonly objects: readonly PlannedObject[];
  /** Certificates by which parts of the operator know each other, in Secrets of its namespace. @default - it makes its own */
  readonly certificates?: readonly OperatorCertificate[];
}

/** A certificate whose users trust the CA in its Secret, and no other. */
export interface OperatorCertificate {
  /** Suffix of its resources' names. */
  readonly id: string;
  readonly use: "server" | "client";
  readonly names: readonly string[];
  readonly secretName: string;
}
