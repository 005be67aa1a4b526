import type { Problem } from "../../settings/problem";
import { isRecord } from "../../settings/record";
import { isAws } from "../backups";
import { fieldsOf, textAt, type StoreInvariant } from "./invariant";

const checksumPair = ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"];

/** By number, since list methods fail on what Pulumi hands over. */
function elementsOf(list: readonly unknown[]): unknown[] {
  const elements: unknown[] = [];
  for (let index = 0; index < list.length; index++) elements.push(list[index]);
  return elements;
}

const nameOf = (variable: unknown): unknown => (isRecord(variable) ? variable.name : undefined);

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
    const endpoint = textAt(fieldsOf(spec, "configuration"), "endpointURL");
    if (props.kind !== "ObjectStore" || spec === undefined || isAws(endpoint === "" ? undefined : endpoint))
      return false;
    spec.instanceSidecarConfiguration ??= {};
    const sidecar = fieldsOf(spec, "instanceSidecarConfiguration");
    const given = sidecar?.env ?? [];
    // Another form is its author's to correct.
    if (sidecar === undefined || !Array.isArray(given)) return false;
    const others = elementsOf(given).filter((one) => !checksumPair.some((name) => name === nameOf(one)));
    sidecar.env = [...others, ...checksumPair.map((name) => ({ name, value: "when_required" }))];
    return true;
  },
};
