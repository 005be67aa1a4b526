import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { base64 } from "../plan/base64";
import { clusterLabel } from "../plan/names";
import { passwordId } from "../plan/postgres/rotation";
import { caKey, type ClientBinding } from "../plan/bindings";

export interface BindingsArgs {
  /** Name of the cluster. */
  readonly cluster: string;
  /** What each client gets. Removing one deletes its ConfigMap and copied Secret. */
  readonly clients: readonly ClientBinding[];
  /** The passwords, by their ids. */
  readonly passwords: Readonly<Record<string, pulumi.Output<string>>>;
  /** Certificate of the CA that clients must trust, in PEM. */
  readonly caCertificate: pulumi.Output<string>;
  /** Further labels of the objects. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Tells clients in their own namespaces how to connect. */
export class Bindings extends pulumi.ComponentResource {
  constructor(name: string, args: BindingsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Bindings", name, {}, options);
    const labels = { ...args.labels, [clusterLabel]: args.cluster };

    const made = new Set(
      args.clients.filter(({ makeNamespace }) => makeNamespace).map(({ namespace }) => namespace),
    );
    const namespaces = new Map(
      [...made].map((namespace) => [
        namespace,
        new Namespace(
          `${name}-namespace-${namespace}`,
          { metadata: { name: namespace, labels: { ...args.labels } } },
          // The application lives in it, and the stack doesn't know what else.
          { parent: this, retainOnDelete: true },
        ),
      ]),
    );

    for (const { client, namespace, name: objectName, data, credential, secret } of args.clients) {
      const clientNamespace = namespaces.get(namespace);
      const own = { parent: this, ...(clientNamespace && { dependsOn: [clientNamespace] }) };
      const metadata = (annotations: Record<string, string>) => ({
        name: objectName,
        namespace,
        labels,
        annotations,
      });
      new ConfigMap(
        `${name}-${client}-config`,
        {
          metadata: metadata({
            "pgplatform.io/why": `how the client ${client} connects`,
            ...(secret && { "pgplatform.io/secret": secret.name }),
          }),
          data: { ...data, [caKey]: args.caCertificate },
        },
        own,
      );
      if (secret?.copied !== true) continue;
      const id = passwordId(credential.id, credential.credentialVersion);
      const password = args.passwords[id];
      if (password === undefined) throw new Error(`no password for ${id}`);
      new Secret(
        `${name}-${client}-secret`,
        {
          metadata: metadata({ "pgplatform.io/why": `the client ${client} logs in with it` }),
          type: "kubernetes.io/basic-auth",
          data: pulumi.secret({
            username: base64(credential.role),
            password: password.apply(base64),
          }),
        },
        own,
      );
    }
    this.registerOutputs({});
  }
}
