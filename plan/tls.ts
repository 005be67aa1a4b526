import type { Settings } from "../settings/schema";
import { clusterLabel, secretNames } from "./names";
import type { PlannedObject } from "./objects";
import type { Plan } from "./plan";

/** The certificate that servers and poolers show: where it lies, and who is asked to sign it. */

type Signed = Pick<Settings, "tls" | "cluster">;

const CA = "ca.crt";

/** Whether neither the engine nor the stack signs: then the CA's certificate lies beside the server's. */
const outside = ({ tls }: Pick<Settings, "tls">): boolean =>
  tls.issuer === "cert-manager" || tls.issuer === "provided";

/** Secret with the servers' certificate and its key. */
export function serverSecret({ tls, cluster }: Signed): string {
  if (tls.issuer === "provided" && tls.secretName !== undefined) return tls.secretName;
  return outside({ tls }) ? secretNames.signed(cluster.name) : secretNames.server(cluster.name);
}

/** Secret with the certificates of the CAs that are trusted, and its key. */
export const caSecret = (settings: Signed): Plan["tls"]["ca"] => ({
  secretName: outside(settings)
    ? (settings.tls.caSecretName ?? serverSecret(settings))
    : secretNames.ca(settings.cluster.name),
  key: CA,
});

/** The volume's source with that certificate alone: the Secret may have a private key beside it. */
export const caSource = (settings: Signed, defaultMode: number) => {
  const { secretName, key } = caSecret(settings);
  return { secretName, items: [{ key, path: CA }], defaultMode };
};

export const tlsOf = (settings: Signed, names: readonly string[]): Plan["tls"] => ({
  issuer: settings.tls.issuer,
  names,
  ca: caSecret(settings),
  server: { secretName: serverSecret(settings), certificateKey: "tls.crt", privateKeyKey: "tls.key" },
});

/** What the operator of CloudNativePG looks for on Secrets whose changes it is to load. */
export const reloadLabel = { "cnpg.io/reload": "true" } as const;

export const certManager = { group: "cert-manager.io", version: "v1", kind: "Certificate" } as const;

/** The request to cert-manager; nothing with another issuer. A new key with each renewal, a third of the time before the end, as cert-manager does by itself. */
export function certificateRequest(settings: Settings, { names, server }: Plan["tls"]): PlannedObject[] {
  const { cluster, tls } = settings;
  if (tls.issuer !== "cert-manager" || tls.issuerRef === undefined) return [];
  const [commonName = cluster.name] = names;
  return [
    {
      id: "certificate",
      stage: 0,
      object: {
        apiVersion: `${certManager.group}/${certManager.version}`,
        kind: certManager.kind,
        metadata: { name: server.secretName, namespace: cluster.namespace },
        spec: {
          secretName: server.secretName,
          secretTemplate: { labels: { [clusterLabel]: cluster.name, ...reloadLabel } },
          ...(commonName.length <= 64 && { commonName }),
          dnsNames: [...names],
          usages: ["digital signature", "server auth"],
          privateKey: { algorithm: "ECDSA", size: 256, encoding: "PKCS8", rotationPolicy: "Always" },
          issuerRef: { name: tls.issuerRef.name, kind: tls.issuerRef.kind, group: tls.issuerRef.group },
        },
      },
      waitFor: "condition=Ready",
      timeoutMinutes: 5,
    },
  ];
}
