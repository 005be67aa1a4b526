/** What the address of a store tells. Apart from store.ts, since policies read addresses and plan no store. */

/** The host's name in an address; empty where there is none. */
export const hostOf = (address: string): string => /^https?:\/\/([^/:]+)/.exec(address)?.[1] ?? "";

/** Who runs a store, by where it listens: the end of the host's name. */
export function providerOf(endpoint: string): string {
  const host = hostOf(endpoint);
  return /^[\d.]+$/.test(host) ? host : host.split(".").slice(-2).join(".");
}
