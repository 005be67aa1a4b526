import { BlockList, isIPv6 } from "node:net";
import type { EngineTraits } from "../plan/engines/planner";
import { anyAddress } from "../plan/network";
import type { Settings } from "../settings/schema";
import type { LiveFacts } from "./liveFacts";

/** Whether the network policies that are planned let pods reach what they need, where that really is. */

type Finding = {
  readonly path: string;
  readonly value: unknown;
  readonly allowed: string;
  readonly fix: string;
};
type Place = { readonly address: string; readonly port: number };
type Range = { readonly cidr: string; readonly port: number };

/** Whether a range has an address; that of all addresses of IPv4 has those of IPv6 too. */
export function holds({ cidr }: Pick<Range, "cidr">, address: string): boolean {
  if (cidr === anyAddress.v4) return true;
  const [network = "", length = ""] = cidr.split("/");
  if (isIPv6(network) !== isIPv6(address)) return false;
  const family = isIPv6(network) ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(network, Number(length), family);
  return list.check(address, family);
}

const reaches = (ranges: readonly Range[], { address, port }: Place): boolean =>
  ranges.some((range) => range.port === port && holds(range, address));

const single = (address: string): string => `${address}/${isIPv6(address) ? 128 : 32}`;

/** Places as the settings write them. */
const asSettings = (places: readonly Place[]): string =>
  `[${places.map(({ address, port }) => `{ cidr: "${single(address)}", port: ${port} }`).join(", ")}]`;

const shown = (places: readonly Place[]): string =>
  places.map(({ address, port }) => `${address} port ${port}`).join(", ");

interface Found {
  readonly problems: readonly Finding[];
  readonly warnings: readonly string[];
}

/** Engines without an operator have no pod that speaks to the API server. */
function apiServer(settings: Settings, { network, apiGroups }: LiveFacts): Found {
  const { apiServer: places = [], nodes = [] } = network ?? {};
  const { apiServer: ranges, cilium } = settings.network;
  const cut = places.filter((place) => !reaches(ranges, place));
  if (cut.length > 0)
    return {
      problems: [
        {
          path: "network.apiServer",
          value: ranges,
          allowed: `ranges and ports that hold the API server, which listens at ${shown(places)} behind its Service`,
          fix: `set it to ${asSettings(places)}`,
        },
      ],
      warnings: [],
    };
  const onNodes = places.filter(({ address }) => nodes.includes(address));
  if (apiGroups.includes("cilium.io") && !cilium && onNodes.length > 0)
    return {
      problems: [
        {
          path: "network.cilium",
          value: cilium,
          allowed: `true where Cilium runs and the API server is on a node (${shown(onNodes)}): to Cilium no range of addresses has nodes in it`,
          fix: "set it to true",
        },
      ],
      warnings: [],
    };
  const open = ranges.some(({ cidr }) => cidr === anyAddress.v4);
  if (!open || places.length === 0 || settings.tier !== "prod") return { problems: [], warnings: [] };
  const ports = [...new Set(ranges.map(({ port }) => port))].join(" and ");
  return {
    problems: [],
    warnings: [
      `Instances may reach any address on the ports ${ports}; the API server listens at ${shown(places)} ` +
        `(pgplatform:network.apiServer: ${asSettings(places)} narrows it, where these addresses stay).`,
    ],
  };
}

function dns({ network: { dns: ranges } }: Settings, { network }: LiveFacts): Found {
  const { resolvers = [], dnsServices = [], nodeLocalDns = false } = network ?? {};
  // Policies are judged behind a Service.
  const cut = resolvers
    .filter((address) => !dnsServices.includes(address))
    .map((address) => ({ address, port: 53 }))
    .filter((place) => !reaches(ranges, place));
  if (cut.length > 0)
    return {
      problems: [
        {
          path: "network.dns",
          value: ranges,
          allowed: `ranges that hold what the kubelet has pods ask for names, ${shown(cut)}`,
          fix: `set it to ${asSettings(cut)}`,
        },
      ],
      warnings: [],
    };
  return {
    problems: [],
    warnings:
      nodeLocalDns && ranges.length === 0
        ? [
            "NodeLocal DNSCache runs: where pods find no names, set pgplatform:network.dns to the address at which it listens, such as " +
              '[{ cidr: "169.254.20.10/32" }].',
          ]
        : [],
  };
}

/** What the live cluster says about the planned network; nothing where it wasn't to be read. */
export function networkFindings(
  settings: Settings,
  { can }: Pick<EngineTraits, "can">,
  facts: LiveFacts,
): Found {
  if (facts.network === undefined) return { problems: [], warnings: [] };
  const found = [...(can.operator === true ? [apiServer(settings, facts)] : []), dns(settings, facts)];
  return {
    problems: found.flatMap(({ problems }) => problems),
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}
