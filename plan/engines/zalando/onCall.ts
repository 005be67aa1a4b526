import { secretNames } from "../../names";
import type { KubernetesObject } from "../../objects";
import type { Change, OnCall } from "../onCall";
import { isPostgresql } from "./resources";

/** Patroni's history: number of a timeline that ended, LSN of its end, why, when, and who led after it. */
type Entry = readonly [timeline: number, lsn: number, why: string, at?: string, leader?: string];

const read = (objects: readonly KubernetesObject[]): Change[] =>
  objects.flatMap(({ metadata }) =>
    (JSON.parse(metadata.annotations?.history ?? "[]") as Entry[]).flatMap(
      ([timeline, , why, at, primary]) =>
        at === undefined
          ? []
          : [
              {
                at: new Date(at).toISOString(),
                why: `Patroni: ${why}`,
                timeline: timeline + 1,
                ...(primary !== undefined && { primary }),
              },
            ],
    ),
  );

export const onCall: OnCall = {
  volumes: { data: "/home/postgres/pgdata" },
  certificates(object) {
    const { name } = object.metadata;
    const server = isPostgresql(object) ? object.spec?.tls?.secretName : undefined;
    // Where another signs, the CA's certificate lies beside the server's.
    const ca = server === undefined || server === secretNames.server(name) ? secretNames.ca(name) : server;
    return [
      { what: "CA", secret: ca, key: "ca.crt" },
      ...(server === undefined ? [] : [{ what: "server", secret: server, key: "tls.crt" }]),
    ];
  },
  holds: (object) =>
    isPostgresql(object) && object.spec?.numberOfInstances === 0
      ? [{ what: "the cluster is hibernated: no instance runs", end: "wake" }]
      : [],
  changes: {
    of: (cluster) => ({ kind: "endpoints", name: `${cluster}-config` }),
    read,
  },
};
