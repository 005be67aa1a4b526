import { run } from "../../../shell/process";

/**
 * A network of its own, which ends with the process that made it: tests/clients/run.ts starts mocha in one. Pods are on a bridge, and addresses of
 * Services lead to them by the rules that kube-proxy writes.
 */

/** The machine's own address, for pods: servers listen there. */
export const host = "198.18.0.1";
const serviceAddress = (index: number) => `198.18.1.${index}`;
export const addressOf = (pod: number): string => `198.18.0.${10 + pod}`;

const sh = async (script: string) => (await run("bash", ["-euc", script])).stdout;

let made: Promise<string> | undefined;

/** Makes it, once. */
export const makeNetwork = (): Promise<string> =>
  (made ??= sh(`ip link set lo up
ip link add pods type bridge && ip addr add ${host}/24 dev pods && ip link set pods up
ip route add 198.18.1.0/24 dev pods
sysctl -qw net.ipv4.ip_forward=1`));

/** Gives the network namespace of a process an address on the bridge. */
export const plugIn = (pid: number, pod: number): Promise<string> =>
  sh(`ip link add pod${pod} type veth peer name eth0 netns ${pid}
ip link set pod${pod} master pods up
nsenter -t ${pid} -n bash -euc 'ip link set lo up; ip addr add ${addressOf(pod)}/24 dev eth0; ip link set eth0 up; ip route add default via ${host}'`);

let services = 0;

/** A Service: one address, whose connections go to a random one of its endpoints, or are refused where it has none. */
export class Service {
  readonly address: string;
  private readonly chain: string;
  constructor(
    readonly name: string,
    readonly port: number,
  ) {
    const index = ++services;
    this.address = serviceAddress(index);
    this.chain = `SVC${index}`;
  }

  async make(): Promise<this> {
    const { address, chain, port } = this;
    await sh(`iptables -t nat -N ${chain}; iptables -N ${chain}
for from in PREROUTING OUTPUT; do iptables -t nat -A $from -d ${address} -p tcp --dport ${port} -j ${chain}; done
for from in INPUT FORWARD OUTPUT; do iptables -A $from -d ${address} -j ${chain}; done`);
    await this.leadTo([]);
    return this;
  }

  async leadTo(endpoints: readonly string[]): Promise<void> {
    const { chain } = this;
    const rules = endpoints.map(
      (endpoint, index) =>
        `-A ${chain} -p tcp -m statistic --mode random --probability ${1 / (endpoints.length - index)} -j DNAT --to-destination ${endpoint}\n`,
    );
    const refuse = endpoints.length > 0 ? "" : `-A ${chain} -j REJECT\n`;
    // One change for each table, as kube-proxy makes it.
    await run("iptables-restore", ["--noflush"], {
      input: `*nat\n:${chain} - [0:0]\n${rules.join("")}COMMIT\n*filter\n:${chain} - [0:0]\n${refuse}COMMIT\n`,
    });
  }
}
