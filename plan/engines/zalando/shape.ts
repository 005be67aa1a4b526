import { archiveIdToken } from "../../backup/store";
import type { Shape } from "../live";
import type { KubernetesObject } from "../../objects";
import { apiVersion } from "./names";

/** Fields of the specification that are part of the instances' pods. */
const inPods = ["resources", "tls", "additionalVolumes"] as const;

interface Variable {
  name: string;
  value?: string;
}

/** Without what is drawn when the cluster is made. */
const timeless = (variable: Variable): Variable =>
  variable.name === "WALG_S3_PREFIX" && variable.value !== undefined
    ? { ...variable, value: variable.value.replace(/[^/]*$/, archiveIdToken) }
    : variable;

/** The fields of a cluster object that are read here. */
interface Postgresql {
  spec?: {
    numberOfInstances?: number;
    dockerImage?: string;
    postgresql?: { version?: string; parameters?: Record<string, string> };
    patroni?: { pg_hba?: string[] };
    volume?: { size?: string; storageClass?: string };
    env?: Variable[];
  } & { [field in (typeof inPods)[number]]?: unknown };
}

/** What a cluster object, planned or live, says of itself. */
export function shape(object: KubernetesObject): Shape | undefined {
  if (object.apiVersion !== apiVersion || object.kind !== "postgresql") return undefined;
  const { spec = {} } = object as Postgresql;
  const { size = "", storageClass } = spec.volume ?? {};
  const version = spec.postgresql?.version;
  const clone = spec.env?.filter(({ name }) => name.startsWith("CLONE_")) ?? [];
  return {
    image: spec.dockerImage ?? "",
    ...(version !== undefined && { major: Number(version) }),
    instances: spec.numberOfInstances ?? 1,
    parameters: spec.postgresql?.parameters ?? {},
    pods: {
      ...Object.fromEntries(inPods.map((field) => [field, spec[field]])),
      // The image writes it out of the pod's environment.
      pg_hba: spec.patroni?.pg_hba,
      env: spec.env?.map(timeless),
    },
    data: { size, ...(storageClass !== undefined && { class: storageClass }) },
    // The operator is told to delete no claim.
    keepsVolumes: true,
    ...(clone.length > 0 && { restored: clone }),
  };
}
