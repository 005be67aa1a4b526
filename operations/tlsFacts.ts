import { createPrivateKey, X509Certificate } from "node:crypto";
import { caSecret, certManager, serverSecret } from "../plan/tls";
import type { Settings } from "../settings/schema";
import { isReady, type Kubectl } from "./kubectl";
import type { LiveSecret } from "./secretFacts";

/** What is there of a certificate that neither the engine nor the stack signs; never a private key itself. */
export interface TlsFacts {
  /** Of the Secret with the certificate. @default - it isn't there, or isn't asked for */
  readonly certificate?: CertificateFacts;
  /** Whether the Secret with the trusted CAs has one; only where the settings name it. */
  readonly trusted?: boolean;
  /** Whether cert-manager serves certificates; only where it is to sign. */
  readonly served?: boolean;
  /** How the issuer is; only where cert-manager is to sign, with an issuer of its own. */
  readonly issuer?: "ready" | "not ready" | "missing";
}

export interface CertificateFacts {
  /** Keys that are missing or empty. */
  readonly missing: readonly string[];
  /** Why its contents are no certificate and key. @default - they are */
  readonly broken?: string;
  /** The certificate, that its issuer's may follow. */
  readonly pem?: string;
  readonly ca?: string;
  /** Whether the key is the certificate's. */
  readonly fits?: boolean;
  /** Whether the operator of CloudNativePG is told of its changes. */
  readonly reloads: boolean;
}

const KEYS = ["tls.crt", "tls.key", "ca.crt"];
const decoded = (text = ""): string => Buffer.from(text, "base64").toString("utf8");

export function certificateFactsOf({ data = {}, metadata }: LiveSecret): CertificateFacts {
  const missing = KEYS.filter((key) => (data[key] ?? "") === "");
  const reloads = metadata.labels?.["cnpg.io/reload"] !== undefined;
  if (missing.length > 0) return { missing, reloads };
  const [pem, key, ca] = KEYS.map((name) => decoded(data[name]));
  try {
    const certificate = new X509Certificate(pem ?? "");
    new X509Certificate(ca ?? "");
    return {
      missing,
      reloads,
      pem: pem ?? "",
      ca: ca ?? "",
      fits: certificate.checkPrivateKey(createPrivateKey(key ?? "")),
    };
  } catch (error) {
    return { missing, reloads, broken: (error as Error).message };
  }
}

/** Undefined where the engine or the stack signs. */
export async function readTls(kubectl: Kubectl, settings: Settings): Promise<TlsFacts | undefined> {
  const { tls, cluster } = settings;
  const { namespace } = cluster;
  if (tls.issuer !== "provided" && tls.issuer !== "cert-manager") return undefined;
  const secret = (name: string): Promise<LiveSecret | undefined> => kubectl.get("secrets", namespace, name);
  const trusted =
    tls.caSecretName === undefined
      ? undefined
      : (((await secret(caSecret(settings).secretName))?.data ?? {})["ca.crt"] ?? "") !== "";
  const common = trusted === undefined ? {} : { trusted };
  if (tls.issuer === "provided") {
    const live = await secret(serverSecret(settings));
    return { ...common, ...(live && { certificate: certificateFactsOf(live) }) };
  }
  const versions = await kubectl.served(`certificates.${certManager.group}`);
  const served = versions?.includes(certManager.version) === true;
  const { issuerRef } = tls;
  if (!served || issuerRef === undefined || issuerRef.group !== certManager.group)
    return { ...common, served };
  const issuer = await kubectl.get(
    `${issuerRef.kind.toLowerCase()}s.${issuerRef.group}`,
    namespace,
    issuerRef.name,
  );
  return {
    ...common,
    served,
    issuer: issuer === undefined ? "missing" : isReady(issuer) ? "ready" : "not ready",
  };
}
