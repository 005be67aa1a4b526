/** What the address of a store tells. Apart from store.ts, since policies read addresses and plan no store. */

/** The host's name in an address; empty where there is none. */
export const hostOf = (address: string): string => /^https?:\/\/([^/:]+)/.exec(address)?.[1] ?? "";

/** Whether an address is that of a Service: its host ends with `.svc`, or with that and the cluster's domain, or is one label. */
export const isInCluster = (endpoint: string): boolean =>
  /\.svc(\.|$)/.test(hostOf(endpoint)) || /^[a-z0-9-]+$/.test(hostOf(endpoint));

/** Stores that run in the Kubernetes cluster are one provider, whoever made them: what takes the cluster takes them all. */
export const thisCluster = "the Kubernetes cluster";

/** Ends of names below which everybody registers names: `com.cn`, `co.uk`. */
const shared = /\.(com|co|net|org|gov|edu|ac)\.[a-z]{2}$/;

/** Whether an address is AWS's, in any of its partitions. */
export const isAwsHost = (endpoint: string): boolean =>
  /(^|\.)(amazonaws\.(com(\.cn)?|eu)|s?c2s\.(ic|sgov)\.gov)$/.test(hostOf(endpoint));

/** Who runs a store, by where it listens: the end of the host's name. */
export function providerOf(endpoint: string): string {
  if (isInCluster(endpoint)) return thisCluster;
  if (isAwsHost(endpoint)) return "amazonaws.com";
  const host = hostOf(endpoint);
  return /^[\d.]+$/.test(host)
    ? host
    : host
        .split(".")
        .slice(shared.test(host) ? -3 : -2)
        .join(".");
}
