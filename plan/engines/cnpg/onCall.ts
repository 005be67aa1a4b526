import { secretNames } from "../../names";
import type { KubernetesObject } from "../../objects";
import type { Change, OnCall } from "../onCall";
import { isCluster } from "./resources";

interface Event extends KubernetesObject {
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly message?: string;
}

/** Events of a Cluster that are about who leads. */
const ABOUT_LEAD = /fail(?:ing|ed|s)? ?over|switch(?:ing|ed|es)? ?over|promot/i;

const read = (events: readonly Event[]): Change[] =>
  events.flatMap(({ lastTimestamp, eventTime, message = "" }) => {
    const at = lastTimestamp ?? eventTime;
    if (at === undefined || at === null || !ABOUT_LEAD.test(message)) return [];
    const primary = /\bto (\S+-\d+)\b/.exec(message)?.[1];
    return [
      { at: new Date(at).toISOString(), why: message.trim(), ...(primary !== undefined && { primary }) },
    ];
  });

/** Names of the instances whose PostgreSQL is kept down; `*` is all of them. */
export const fencingAnnotation = "cnpg.io/fencedInstances";
export const hibernationAnnotation = "cnpg.io/hibernation";

/** The fenced instances of a cluster. */
export function fencedIn({ metadata }: KubernetesObject): string[] {
  try {
    const names: unknown = JSON.parse(metadata.annotations?.[fencingAnnotation] ?? "[]");
    return Array.isArray(names) ? names.map(String) : [];
  } catch {
    return [];
  }
}

export const onCall: OnCall = {
  volumes: { data: "/var/lib/postgresql/data", wal: "/var/lib/postgresql/wal" },
  certificates(object) {
    const { name } = object.metadata;
    const { serverTLSSecret, serverCASecret } = (isCluster(object) && object.spec?.certificates) || {};
    return [
      { what: "CA", secret: serverCASecret ?? secretNames.ca(name), key: "ca.crt" },
      { what: "server", secret: serverTLSSecret ?? secretNames.server(name), key: "tls.crt" },
      { what: "replication", secret: `${name}-replication`, key: "tls.crt" },
    ];
  },
  holds(object) {
    if (!isCluster(object)) return [];
    const { annotations = {} } = object.metadata;
    const names = fencedIn(object);
    return [
      ...(names.length === 0
        ? []
        : [
            {
              what: `${names.includes("*") ? "all instances are" : `${names.join(", ")} ${names.length === 1 ? "is" : "are"}`} fenced: PostgreSQL is kept down there`,
              end: "unfence",
            },
          ]),
      ...(annotations[hibernationAnnotation] === "on"
        ? [{ what: "the cluster is hibernated: no instance runs", end: "wake" }]
        : []),
      ...(annotations["cnpg.io/reconciliationLoop"] === "disabled"
        ? [{ what: "the operator is told to leave the cluster alone (cnpg.io/reconciliationLoop)" }]
        : []),
    ];
  },
  changes: {
    of: (cluster) => ({
      kind: "events",
      fieldSelector: `involvedObject.kind=Cluster,involvedObject.name=${cluster}`,
    }),
    read,
  },
};
