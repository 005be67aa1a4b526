import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { base64 } from "../plan/base64";
import type { Plan } from "../plan/plan";
import { issuing, type Wanted } from "./issuing";

export interface CertificatesArgs {
  /** Names that the certificate carries, and the Secrets that it goes into. Other names renew the certificate in place. */
  readonly tls: Omit<Plan["tls"], "issuer">;
  /** Namespace of the Secrets. */
  readonly namespace: string;
  /**
   * Namespace of the authority's Secret.
   * @default - the same
   */
  readonly authorityNamespace?: string;
  /**
   * Whether the server's Secret outlives the stack, as its server does.
   * @default false
   */
  readonly retained?: boolean;
  /** Labels of the Secrets. */
  readonly labels: Readonly<Record<string, string>>;
}

/** An authority of its own, and a certificate that it signed; both live in Pulumi's encrypted state. */
export class Issued extends pulumi.dynamic.Resource {
  declare public readonly authority: pulumi.Output<string>;
  declare public readonly certificate: pulumi.Output<string>;
  declare public readonly privateKey: pulumi.Output<string>;

  constructor(name: string, wanted: Wanted, options: pulumi.CustomResourceOptions) {
    const outputs = {
      authority: undefined,
      authorityKey: undefined,
      certificate: undefined,
      privateKey: undefined,
    };
    super(
      issuing,
      name,
      { ...outputs, ...wanted },
      {
        ...options,
        additionalSecretOutputs: ["authorityKey", "privateKey"],
      },
    );
  }
}

/**
 * The servers' certificate where the engine signs none by itself. It is valid for a year; an update in the last 60 days renews it. Its
 * authority, whose private key never leaves Pulumi's encrypted state, lasts for 20 years, so that clients keep what they trust.
 */
export class Certificates extends pulumi.ComponentResource {
  /** Certificate of the authority that clients must trust, in PEM. */
  public readonly authorityPem: pulumi.Output<string>;

  constructor(name: string, args: CertificatesArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Certificates", name, {}, options);
    const { tls, namespace, authorityNamespace = namespace, retained = false, labels } = args;
    const issued = new Issued(`${name}-issued`, { names: tls.names }, { parent: this });

    new Secret(
      `${name}-authority`,
      {
        metadata: { name: tls.authority.secretName, namespace: authorityNamespace, labels },
        data: { [tls.authority.key]: issued.authority.apply(base64) },
      },
      { parent: this },
    );
    new Secret(
      `${name}-server`,
      {
        metadata: { name: tls.server.secretName, namespace, labels },
        data: {
          [tls.server.certificateKey]: issued.certificate.apply(base64),
          [tls.server.privateKeyKey]: issued.privateKey.apply(base64),
          // Standbys and clients beside the server trust the same authority.
          "ca.crt": issued.authority.apply(base64),
        },
      },
      { parent: this, ...(retained && { retainOnDelete: true }) },
    );
    this.authorityPem = issued.authority;
    this.registerOutputs({ authorityPem: this.authorityPem });
  }
}
