import type { Problem } from "../../settings/problem";
import { isAws } from "../backups";
import { fieldsOf, type StoreInvariant } from "./invariant";

export const plainChecksumsInvariant: StoreInvariant = {
  number: "17",
  name: "plain-checksums",
  description: "A store other than AWS gets no checksums that only AWS supports.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Set AWS_REQUEST_CHECKSUM_CALCULATION and AWS_RESPONSE_CHECKSUM_VALIDATION to when_required: newer clients send checksums that R2, B2 and others " +
    "refuse. CloudNativePG: `spec.instanceSidecarConfiguration.env` of the ObjectStore.",
  on: "store",
  check: ({ endpoint, plainChecksums }): Problem[] =>
    isAws(endpoint) || plainChecksums
      ? []
      : [
          {
            path: "checksums",
            value: "sent always",
            allowed: `when_required in both directions at ${endpoint}, which is not AWS`,
            fix: "set AWS_REQUEST_CHECKSUM_CALCULATION and AWS_RESPONSE_CHECKSUM_VALIDATION",
          },
        ],
  remedy(props) {
    const spec = fieldsOf(props, "spec");
    const endpoint = fieldsOf(spec, "configuration")?.endpointURL;
    if (props.kind !== "ObjectStore" || spec === undefined || isAws(String(endpoint ?? ""))) return false;
    spec.instanceSidecarConfiguration ??= {};
    const sidecar = fieldsOf(spec, "instanceSidecarConfiguration")!;
    const others = (Array.isArray(sidecar.env) ? (sidecar.env as { name?: unknown }[]) : []).filter(
      ({ name }) => !checksumPair.includes(String(name)),
    );
    sidecar.env = [...others, ...checksumPair.map((name) => ({ name, value: "when_required" }))];
    return true;
  },
};

const checksumPair = ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"];
