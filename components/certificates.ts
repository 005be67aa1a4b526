import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { base64 } from "../plan/base64";
import type { Plan } from "../plan/plan";
import { issuing, type Wanted } from "./issuing";
import { Objects, type ObjectsArgs } from "./objects";

export interface CertificatesArgs {
  /** Names that the certificate carries, and the Secrets that it goes into. Other names renew the certificate in place. */
  readonly tls: Omit<Plan["tls"], "issuer">;
  /** Namespace of the Secrets. */
  readonly namespace: string;
  /**
   * Namespace of the CA's Secret.
   * @default - the same
   */
  readonly caNamespace?: string;
  /**
   * Whether the server's Secret outlives the stack, as its server does.
   * @default false
   */
  readonly retained?: boolean;
  /** Labels of the Secrets. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A CA of its own, and a certificate that it signed; both live in Pulumi's encrypted state. */
export class Issued extends pulumi.dynamic.Resource {
  declare public readonly ca: pulumi.Output<string>;
  declare public readonly certificate: pulumi.Output<string>;
  declare public readonly privateKey: pulumi.Output<string>;

  constructor(name: string, wanted: Wanted, options: pulumi.CustomResourceOptions) {
    const outputs = {
      ca: undefined,
      caKey: undefined,
      certificate: undefined,
      privateKey: undefined,
    };
    super(
      issuing,
      name,
      { ...outputs, ...wanted },
      {
        ...options,
        additionalSecretOutputs: ["caKey", "privateKey"],
      },
    );
  }
}

/** What asks cert-manager for the servers' certificate: there when it is. */
export class CertificateRequest extends Objects {
  /** Known when the certificate is there. */
  public readonly made: pulumi.Output<unknown>;

  constructor(name: string, args: ObjectsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("CertificateRequest", name, args, options);
    this.made = pulumi.all(Object.values(this.registered).map(({ id }) => id));
  }
}

/**
 * The servers' certificate where the engine signs none by itself. It is valid for a year; an update in the last 60 days renews it. Its
 * CA, whose private key never leaves Pulumi's encrypted state, lasts for 20 years, so that clients keep what they trust.
 */
export class Certificates extends pulumi.ComponentResource {
  /** Certificate of the CA that clients must trust, in PEM. */
  public readonly caCertificate: pulumi.Output<string>;

  constructor(name: string, args: CertificatesArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Certificates", name, {}, options);
    const { tls, namespace, caNamespace = namespace, retained = false, labels } = args;
    const issued = new Issued(`${name}-issued`, { names: tls.names }, { parent: this });

    new Secret(
      `${name}-ca`,
      {
        metadata: { name: tls.ca.secretName, namespace: caNamespace, labels },
        data: { [tls.ca.key]: issued.ca.apply(base64) },
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
          // Standbys and clients beside the server trust the same CA.
          "ca.crt": issued.ca.apply(base64),
        },
      },
      { parent: this, ...(retained && { retainOnDelete: true }) },
    );
    this.caCertificate = issued.ca;
    this.registerOutputs({ caCertificate: this.caCertificate });
  }
}
