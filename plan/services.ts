/** A Service, and its namespace where it isn't that of whoever names it. */
export interface NamedService {
  readonly service: string;
  readonly namespace?: string;
}

/** The Service in a host's name within a Kubernetes cluster: `db`, `db.shop`, `db.shop.svc.cluster.local`, and any of these behind a pod's name. */
export function serviceIn(host: string): NamedService {
  const labels = host.split(".");
  const end = labels.indexOf("svc");
  const [first = "", second = ""] = labels;
  // A StatefulSet's name is, or begins, that of the Service of its pods.
  const pod = /^(.+)-\d+$/.exec(first)?.[1];
  const isPod = end < 0 ? pod !== undefined && second.startsWith(pod) : end > 2;
  const [service = "", namespace] = isPod ? labels.slice(1) : labels;
  return { service, ...(namespace !== undefined && namespace !== "svc" && { namespace }) };
}
