import { secretNames } from "../../names";
import type { OnCall } from "../onCall";
import { paths } from "./names";
import { isServer } from "./resources";

/** A server that restarts in place changes no primary: PostgreSQL's timelines and the pod's restarts are all there is. */
export const onCall: OnCall = {
  volumes: { data: paths.volume, wal: paths.wal, archive: paths.archive },
  certificates(object) {
    const { name } = object.metadata;
    const volumes = (isServer(object) && object.spec?.template?.spec?.volumes) || [];
    const server = volumes.find((one) => one.name === "tls")?.secret?.secretName ?? secretNames.server(name);
    // Where another signs, the CA's certificate lies beside the server's.
    const ca = server === secretNames.server(name) ? secretNames.ca(name) : server;
    return [
      { what: "CA", secret: ca, key: "ca.crt" },
      { what: "server", secret: server, key: "tls.crt" },
    ];
  },
  holds: (object) =>
    isServer(object) && object.spec?.replicas === 0
      ? [{ what: "the server is hibernated: no pod runs", end: "wake" }]
      : [],
};
