import type { Problem } from "../../settings/problem";
import { isR2 } from "../backups";
import { fieldsOf, textAt, type StoreInvariant } from "./invariant";

export const r2EncryptionInvariant: StoreInvariant = {
  number: "18",
  name: "no-encryption-header-at-r2",
  description: "R2, which encrypts by itself, is asked for no encryption.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Remove the encryption from the store's configuration: R2 refuses the header that asks for it.",
  on: "store",
  check: ({ endpoint, encryption }): Problem[] =>
    encryption === undefined || !isR2(endpoint)
      ? []
      : [
          {
            path: "encryption",
            value: encryption,
            allowed: "none at R2, which refuses the header and encrypts by itself",
            fix: "remove it",
          },
        ],
  remedy(props) {
    const configuration = fieldsOf(props, "spec", "configuration");
    if (props.kind !== "ObjectStore" || !isR2(textAt(configuration, "endpointURL"))) return false;
    const parts = [fieldsOf(configuration, "wal"), fieldsOf(configuration, "data")].filter(
      (part) => part?.encryption !== undefined,
    );
    for (const part of parts) delete part!.encryption;
    return parts.length > 0;
  },
};
