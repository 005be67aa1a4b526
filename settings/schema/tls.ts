import * as z from "zod";
import { atOnce, documented, label, oneOf, rollsPooler } from "./types";

/** Who signs the certificate that servers and poolers show. */

export const issuers = ["engine", "platform", "cert-manager", "provided"] as const;
export type Issuer = (typeof issuers)[number];

const otherFile =
  "A change rolls the poolers' pods, whose sessions are drained; it restarts the instances of zalando and standalone, and those of cnpg load it.";

const issuerRef = z.strictObject({
  name: documented(z.string().regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/), {
    means: "Name of the issuer, which is there.",
    change:
      "A change has another issuer sign, at once; clients must trust both CAs meanwhile: see tls.caSecretName.",
    allowed: "a name of lower-case letters, digits, hyphens and dots",
    fix: "copy it from `kubectl get issuers,clusterissuers -A`",
  }),
  kind: documented(z.string().regex(/^[A-Z][A-Za-z0-9]{0,62}$/), {
    means:
      "Kind of the issuer. Issuer: one of the cluster's namespace; ClusterIssuer; or that of an issuer which isn't cert-manager's own, with its group. Default: Issuer.",
    change: atOnce,
    allowed: "Issuer, ClusterIssuer, or a kind of another group such as AWSPCAClusterIssuer",
    fix: "copy it from the issuer",
  }).default("Issuer"),
  group: documented(z.string().regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/), {
    means: "API group of an issuer that isn't cert-manager's own. Default: cert-manager.io.",
    change: atOnce,
    allowed: "an API group such as awspca.cert-manager.io",
    fix: "copy it from the issuer's apiVersion",
  }).default("cert-manager.io"),
});

export const tls = z
  .strictObject({
    issuer: oneOf(
      issuers,
      "Who signs the certificate that servers and poolers show, and renews it. engine: CloudNativePG's operator, with a CA of its own; platform: the stack, with a CA whose key is in its " +
        "encrypted state, and `make up` renews; cert-manager: an issuer of cert-manager, by a Certificate that the stack makes; provided: another program, in a Secret. " +
        "Default: engine with cnpg, platform with the others.",
      `${otherFile} Clients need the new CA before.`,
    ).optional(),
    issuerRef: issuerRef.optional(),
    secretName: label(
      "Secret of the cluster's namespace with tls.crt, tls.key and ca.crt, for the names that `make up` lists where it is missing; only with the issuer provided. What it is " +
        "changed to is loaded without a restart.",
      253,
      otherFile,
    ).optional(),
    caSecretName: label(
      "Secret of the cluster's namespace whose ca.crt has the CAs that poolers, jobs and bindings trust, one after another: for a change of the CA with both trusted " +
        "meanwhile; only with the issuers cert-manager and provided. Default: ca.crt beside the certificate.",
      253,
      rollsPooler,
    ).optional(),
  })
  .default({});
