import * as z from "zod";
import { builtInApi } from "../builtIn";
import { documented, atOnce, oneOf, cidr, cores, freeLabelKey, labelValue, integer, quantity } from "./types";
import { audit } from "./audit";
import { backup } from "./backup";
import { client } from "./clients";
import { cluster } from "./cluster";
import { images, registry } from "./images";
import { maintenance } from "./maintenance";
import { monitoring } from "./monitoring";
import type { InstallSettings } from "./monitoringInstall";
import { restore } from "./restore";
import { rotation } from "./rotation";
import { secrets } from "./secrets";
import { type Issuer, tls } from "./tls";
import { pooler } from "./poolers";
import { allow, protection } from "./protection";
import { scheduling, type SchedulingSettings } from "./scheduling";
import { waivers } from "./waivers";
import { transform } from "./transform";

const plainAlone =
  "Read by a plain `pulumi up` alone: `make` goes where CONTEXT says, else to k3d, else to the built-in cluster.";

/**
 * Every setting of a stack file, below `pgplatform:`.
 *
 * Each carries its meaning, unit, default, limits and what a change does in its description, and what is allowed and how
 * to fix a wrong value in `allowed` and `fix`: the settings check builds its messages from them.
 */

export const schema = z.strictObject({
  platform: oneOf(
    ["local", "k3d", "cloud", "openshift"],
    "What Kubernetes this is. local: the built-in cluster with its own images; k3d: k3s in Docker; openshift: OpenShift, which gives pods users and " +
      "groups out of a range of the namespace's own, so that none is named, and has its own DNS; only with the engine cnpg, and never run there; cloud: anything else. " +
      "It decides the defaults for images, storage class, DNS and the API server's addresses.",
    "A change of platform is a move to another cluster.",
  ),
  tier: oneOf(
    ["dev", "prod"],
    "Which rules are mandatory. prod: at least three instances, and what holds data is protected: see protection.enabled. " +
      "Default: dev on local and k3d, prod on the others.",
    atOnce,
  ).optional(),
  kubernetes: z
    .strictObject({
      kubeconfig: documented(z.string().min(1), {
        means: `Path of the kubeconfig file. ${plainAlone} Default: as kubectl finds it.`,
        change: "A change that names another Kubernetes cluster recreates everything there.",
        allowed: "a path of at least one character",
      }).optional(),
      context: documented(z.string().min(1), {
        means: `Context of the kubeconfig file. ${plainAlone} Default: its current context.`,
        change: "A change that names another Kubernetes cluster recreates everything there.",
        allowed: "the name of a context, at least one character",
      }).optional(),
    })
    .default({}),
  operator: z
    .strictObject({
      install: documented(z.boolean(), {
        means:
          "Whether this stack installs the engine's operator. One stack of each Kubernetes cluster does. Default: true; false with the engine standalone, which has none.",
        change:
          "From true to false removes the operator from this stack's care and from the cluster; its CRDs stay.",
        allowed: "true or false",
      }).optional(),
      scheduling: scheduling(
        "Which nodes the operator's pods go to, in place of scheduling, and without topologySpread.",
        "as scheduling",
      ).optional(),
      memory: quantity(
        "Memory limit of each container of the operator: it grows with the number of clusters and pods of the Kubernetes cluster. Default: 512Mi; 128Mi for the backup plugin.",
        "A change rolls the operator.",
        "1Gi",
      ).optional(),
      cpu: cores(
        "Most cores of each container of the operator. Default: 1; 500m for the backup plugin.",
        "A change rolls the operator.",
      ).optional(),
    })
    .prefault({}),
  scheduling: scheduling(
    "Which nodes pods go to: all that the platform makes, the operator's included, Jobs and what checks the cluster too.",
    "every node",
  ).prefault({}),
  cluster,
  poolers: documented(z.array(pooler), {
    means: "PgBouncer poolers in front of the cluster. Default: none.",
    change: "A new or removed pooler's name goes into or out of the servers' certificate, which is reloaded.",
    allowed: "a list of poolers",
  }).default([]),
  clients: documented(z.array(client), {
    means: "Clients that may connect; all others are cut off. Default: none.",
    change: atOnce,
    allowed: "a list of clients",
  }).default([]),
  rotation: rotation.prefault({}),
  secrets: secrets.prefault({ source: "generated" }),
  tls,
  backup: backup.optional(),
  restore: restore.optional(),
  maintenance: maintenance.optional(),
  network: z
    .strictObject({
      apiServer: documented(
        z
          .array(
            z.strictObject({
              cidr: cidr("Range of addresses of the API server."),
              port: integer("TCP port of the API server behind its Service.", 1, 65535, atOnce),
            }),
          )
          .min(1),
        {
          means:
            `Where the Kubernetes API server listens behind its Service; instances talk to it. Default: ${builtInApi.address}/32 port ${builtInApi.port} on ` +
            "local; any address on ports 443 and 6443 elsewhere, which also lets instances reach such ports anywhere: narrow it. 0.0.0.0/0 is any address, of IPv6 too.",
          change: atOnce,
          allowed: "at least one { cidr, port }",
          fix: "list the API server's addresses",
        },
      ).optional(),
      dns: documented(
        z.array(
          z.strictObject({
            cidr: cidr("Range of addresses that answer lookups of names."),
            port: integer("Port there, of UDP and TCP. Default: 53.", 1, 65535, atOnce).default(53),
          }),
        ),
        {
          means:
            "Where pods look names up, beside the DNS pods of kube-system (on openshift those of openshift-dns, at port 5353): the address of NodeLocal DNSCache, or of a " +
            "DNS outside of the Kubernetes cluster. Default: none.",
          change: atOnce,
          allowed: "a list of { cidr, port } of which cidr must be there, such as { cidr: 169.254.20.10/32 }",
          fix: "list the addresses that the kubelet's clusterDNS has",
        },
      ).default([]),
      cilium: documented(z.boolean(), {
        means:
          "Whether Cilium enforces the network policies. It knows what runs on a node by names of its own and not by addresses, which a CiliumNetworkPolicy then " +
          "lets in: the API server for the pods that need it, and the addresses of network.dns. Never run with Cilium. Default: false.",
        change: atOnce,
        allowed: "true or false",
      }).default(false),
    })
    .prefault({}),
  monitoring,
  audit,
  labels: documented(z.record(freeLabelKey, labelValue), {
    means:
      "Labels of every object that the platform makes for this cluster, its pods and volumes included; the operator's own objects, which " +
      "serve others too, have none. Default: none.",
    change:
      "A change relabels the objects and rolls the poolers' pods; PostgreSQL keeps running, but restarts with the engine standalone.",
    allowed:
      "`key: value` as Kubernetes takes them, with keys that are not the platform's, the operator's or Kubernetes' own",
    fix: "use a key such as team or example.com/team",
  }).default({}),
  images,
  registries: documented(z.array(registry), {
    means: "Registries that give images only to those who log in. Default: none.",
    change:
      "A change is for images that are pulled later, and rolls the poolers' pods when the first one comes or the last one goes.",
    allowed: "a list of { server, username, password }",
  }).default([]),
  protection: protection.prefault({}),
  allow,
  waivers,
  transform,
});

/** What a stack file may hold. */
export type SettingsInput = z.input<typeof schema>;
type Parsed = z.output<typeof schema>;
type ParsedCluster = Parsed["cluster"];

export type Platform = Parsed["platform"];
export type Tier = NonNullable<Parsed["tier"]>;
export type PoolerSettings = Parsed["poolers"][number];
export type ClientSettings = Omit<Parsed["clients"][number], "namespace"> & { readonly namespace: string };
export type Images = { readonly [name in Exclude<keyof Parsed["images"], "registry">]-?: string };
export type Compression = NonNullable<NonNullable<Parsed["backup"]>["compression"]>;
export type RegistrySettings = Parsed["registries"][number];
export type DatabaseSettings = ParsedCluster["databases"][number];

export interface Amounts {
  readonly cpu: string;
  readonly memory: string;
  readonly "hugepages-2Mi"?: string;
  readonly "hugepages-1Gi"?: string;
}

export interface Resources {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** Settings after the defaults of platform and tier: nothing that has a default is missing. */
export interface Settings extends Omit<
  Parsed,
  | "tier"
  | "operator"
  | "cluster"
  | "clients"
  | "network"
  | "monitoring"
  | "images"
  | "backup"
  | "protection"
  | "tls"
> {
  readonly tier: Tier;
  readonly protection: { readonly enabled: boolean; readonly verifiedWithinHours: number };
  readonly operator: Omit<Parsed["operator"], "scheduling" | "install"> & {
    readonly install: boolean;
    readonly scheduling: SchedulingSettings;
  };
  readonly cluster: Omit<ParsedCluster, "resources" | "storage" | "scheduling"> & {
    readonly scheduling: SchedulingSettings;
    readonly resources: Resources;
    readonly storage: {
      readonly class?: string;
      readonly size: string;
      readonly walSize?: string;
      readonly archiveSize?: string;
      readonly writeMiBPerSecond?: number;
      readonly toleratedOutageHours?: number;
    };
  };
  readonly clients: readonly ClientSettings[];
  readonly tls: Parsed["tls"] & { readonly issuer: Issuer };
  readonly network: Omit<Parsed["network"], "apiServer"> & {
    readonly apiServer: readonly { readonly cidr: string; readonly port: number }[];
  };
  readonly monitoring: Omit<Parsed["monitoring"], "install"> & { readonly install?: InstallSettings };
  readonly images: Images;
  readonly backup?: Omit<NonNullable<Parsed["backup"]>, "compression" | "memory" | "cpu"> & {
    readonly compression: Compression;
    readonly memory: string;
    readonly cpu: string;
  };
}

/** Settings that hold their form, before the defaults of platform and tier. */
export type ParsedSettings = Parsed;
