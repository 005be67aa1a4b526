import type { Rule } from "./rule";

/** Who signs, and what only some issuers have. */
export const tls: Rule = ({ tls: given, cluster }, report, engine) => {
  const { issuer, issuerRef, secretName, caSecretName } = given;
  if (!engine.issuers.includes(issuer)) {
    report(
      "tls.issuer",
      issuer,
      `one of ${engine.issuers.join(", ")} with the engine ${engine.name}`,
      "choose one of them, or leave it out",
    );
    return;
  }
  const only = (path: string, value: unknown, owners: readonly string[], need: boolean, example: string) => {
    if (owners.includes(issuer)) {
      if (need && value === undefined)
        report(path, undefined, `${example} with the issuer ${issuer}`, "set it");
    } else if (value !== undefined)
      report(
        path,
        value,
        `must not be set with the issuer ${issuer}`,
        `leave it out, or set tls.issuer to ${owners.join(" or ")}`,
      );
  };
  only("tls.issuerRef", issuerRef, ["cert-manager"], true, "name and kind of an issuer");
  only("tls.secretName", secretName, ["provided"], true, "the name of a Secret");
  only("tls.caSecretName", caSecretName, ["cert-manager", "provided"], false, "");
  if (issuerRef?.group === "cert-manager.io" && !["Issuer", "ClusterIssuer"].includes(issuerRef.kind))
    report(
      "tls.issuerRef.kind",
      issuerRef.kind,
      "Issuer or ClusterIssuer in the group cert-manager.io",
      "choose one of them, or set tls.issuerRef.group",
    );
  // Names that the engine or the stack writes to.
  const taken = ["server", "ca", "replication", "tls"].map((suffix) => `${cluster.name}-${suffix}`);
  for (const [path, value] of Object.entries({ secretName, caSecretName }))
    if (value !== undefined && taken.includes(value))
      report(
        `tls.${path}`,
        value,
        `a name that neither the engine nor the stack writes to: not ${taken.join(", ")}`,
        "have it made under another name",
      );
};
