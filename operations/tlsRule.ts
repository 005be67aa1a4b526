import { X509Certificate } from "node:crypto";
import { certManager } from "../plan/tls";
import type { Settings } from "../settings/schema";
import type { CertificateFacts, TlsFacts } from "./tlsFacts";
import { listed, merged, problem, type Rule, type Verdict } from "./verdict";

/** Whether a certificate that another signs can be shown by servers and poolers, and trusted by clients. */

const BLOCK = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;
const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(BLOCK) ?? []).map((one) => new X509Certificate(one));

/** Whether a certificate is signed by one of the CAs, through those that are shown with it. */
export function isTrusted(
  [first, ...between]: readonly X509Certificate[],
  cas: readonly X509Certificate[],
): boolean {
  if (first === undefined) return false;
  const signs = (ca: X509Certificate) => first.checkIssued(ca) && first.verify(ca.publicKey);
  if (cas.some(signs)) return true;
  const next = between.find(signs);
  return next !== undefined && isTrusted([next, ...between.filter((one) => one !== next)], cas);
}

/** The first fault of a certificate: what is wrong, and what has to be done. */
export function faultOf(
  { missing, broken, pem = "", ca = "", fits }: CertificateFacts,
  names: readonly string[],
  now: Date,
): string | undefined {
  if (missing.length > 0) return `${listed(missing)} ${missing.length === 1 ? "is" : "are"} missing or empty`;
  if (broken !== undefined) return `its contents can't be read: ${broken}`;
  const chain = certificatesIn(pem);
  const [own] = chain;
  if (own === undefined) return "tls.crt has no certificate";
  if (fits !== true) return "tls.key isn't the key of tls.crt";
  if (Date.parse(own.validTo) <= now.getTime()) return `the certificate ended on ${own.validTo}`;
  if (Date.parse(own.validFrom) > now.getTime()) return `the certificate begins on ${own.validFrom}`;
  const lacking = names.filter((name) => own.checkHost(name, { subject: "never" }) === undefined);
  if (lacking.length > 0) return `it lacks the names ${lacking.join(", ")}`;
  if (!isTrusted(chain, certificatesIn(ca))) return "ca.crt has no CA that signed it";
  return undefined;
}

function provided(
  settings: Settings,
  facts: TlsFacts,
  names: readonly string[],
  now: Date,
): Partial<Verdict> {
  const { tls, cluster } = settings;
  const fault = facts.certificate === undefined ? "it is missing" : faultOf(facts.certificate, names, now);
  if (fault !== undefined)
    return problem(
      "tls.secretName",
      tls.secretName,
      `a Secret of the namespace ${cluster.namespace} with tls.crt, tls.key and ca.crt, for the names ${names.join(", ")}; ${fault}`,
      "have its owner correct it",
    );
  return cluster.engine === "cnpg" && facts.certificate?.reloads === false
    ? {
        warnings: [
          `Secret ${cluster.namespace}/${tls.secretName} has no label cnpg.io/reload: CloudNativePG loads what it is changed to only at a restart.`,
        ],
      }
    : {};
}

function requested(settings: Settings, { served, issuer }: TlsFacts): Partial<Verdict> {
  const { issuerRef } = settings.tls;
  const { group, version } = certManager;
  if (served !== true)
    return problem(
      "tls.issuer",
      settings.tls.issuer,
      `another issuer where cert-manager doesn't serve certificates.${group}/${version}`,
      "install cert-manager first",
    );
  if (issuer === undefined || issuer === "ready" || issuerRef === undefined) return {};
  return problem(
    "tls.issuerRef.name",
    issuerRef.name,
    `the name of a ${issuerRef.kind} that is there and ready${issuerRef.kind === "Issuer" ? ` in the namespace ${settings.cluster.namespace}` : ""}; it is ${issuer}`,
    "make it first, or name another one",
  );
}

/** What another signs comes before the cluster: its Secret, or the one who is asked for it. */
export const certificates: Rule = ({ settings, tlsNames }, { tls: facts, namespaces }) => {
  if (facts === undefined) return {};
  const { tls, cluster } = settings;
  const inNamespace =
    tls.issuer === "provided" || tls.issuerRef?.kind === "Issuer" || tls.caSecretName !== undefined;
  if (inNamespace && !namespaces.includes(cluster.namespace))
    return cluster.makeNamespace
      ? problem(
          "cluster.namespace",
          cluster.namespace,
          `a namespace that is there, since tls.issuer is ${tls.issuer} and ${tls.issuer === "provided" ? "its Secret" : "its issuer"} comes first`,
          `make it (kubectl create namespace ${cluster.namespace}), and set cluster.makeNamespace to false`,
        )
      : {};
  return merged([
    tls.issuer === "provided" ? provided(settings, facts, tlsNames, new Date()) : requested(settings, facts),
    facts.trusted === false
      ? problem(
          "tls.caSecretName",
          tls.caSecretName,
          `a Secret of the namespace ${cluster.namespace} whose ca.crt has the CAs that are trusted; it is missing or empty`,
          "make it, or leave it out",
        )
      : {},
  ]);
};
