import type { OnCall } from "../onCall";
import { paths } from "./names";
import { isServer } from "./resources";

/** A server that restarts in place changes no primary: PostgreSQL's timelines and the pod's restarts are all there is. */
export const onCall: OnCall = {
  volumes: { data: paths.volume, wal: paths.wal, archive: paths.archive },
  certificates: ({ metadata: { name } }) => [
    { what: "CA", secret: `${name}-ca`, key: "ca.crt" },
    { what: "server", secret: `${name}-server`, key: "tls.crt" },
  ],
  holds: (object) =>
    isServer(object) && object.spec?.replicas === 0
      ? [{ what: "the server is hibernated: no pod runs", end: "wake" }]
      : [],
};
