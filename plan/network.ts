import type { Settings } from "../settings/schema";
import { roleLabels } from "./names";

/** A flow over TCP. */
export const tcp = (name: string, from: Peer, to: Peer, port: number, why: string): Flow => ({
  name,
  from,
  to,
  port,
  protocol: "TCP",
  why,
});
const toApiServer = "api-server";

/** The way to Kubernetes' API, where the settings say that it is. `who` tells flows of several pods apart. */
export const apiServerFlows = (
  { network }: Pick<Settings, "network">,
  from: Peer,
  why: string,
  who?: string,
): Flow[] =>
  network.apiServer.map(({ cidr, port }, index) =>
    tcp(
      [toApiServer, ...(who === undefined ? [] : [who]), index].join("-"),
      from,
      { kind: "addresses", cidr },
      port,
      why,
    ),
  );

/** Whether a flow is one of those. */
export const isToApiServer = ({ name, to }: Flow): boolean =>
  to.kind === "addresses" && name.startsWith(`${toApiServer}-`);

/** The platform's own pods of a role, in the cluster's namespace. */
export const podsOfRole = (
  { name, namespace }: { readonly name: string; readonly namespace: string },
  role: string,
): Pods => ({ kind: "pods", name: role, namespace, labels: roleLabels(name, role) });

/** Where something listens, as its clients name it. */
export interface Endpoint {
  /** Name of the Service, enough for pods of the same namespace. */
  readonly service: string;
  /** Name of the host from any namespace. */
  readonly host: string;
  readonly port: number;
}

/** Pods of one kind. */
export type Pods = Extract<Peer, { kind: "pods" }>;

/** One end of a flow. */
export type Peer =
  | {
      readonly kind: "pods";
      /** What these pods are called; the same name stands for the same pods in every flow. */
      readonly name: string;
      readonly namespace: string;
      /** No label at all means every pod of the namespace. */
      readonly labels: Record<string, string>;
    }
  | { readonly kind: "namespace"; readonly namespace: string }
  | { readonly kind: "addresses"; readonly cidr: string };

/** Any address, of either family: what a range of all addresses of IPv4 stands for. */
export const anyAddress = { v4: "0.0.0.0/0", v6: "::/0" } as const;

/** Traffic that must be possible. Ports are those of the containers, which is what network policies see. */
export interface Flow {
  readonly name: string;
  readonly from: Peer;
  readonly to: Peer;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly why: string;
}

export type Labels = Readonly<Record<string, string>>;
