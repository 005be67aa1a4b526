import { isWide } from "../settings/cidr";
import type { Rule } from "./rule";

/** Ports that the defaults open to every address, since the API server may be anywhere. */
const apiServerPorts = [443, 6443];

/** Instances must not be able to call any address at any port, not by several ranges either: that would open the namespace. */
export const networks: Rule = ({ network }, report) => {
  network.apiServer.forEach(({ cidr, port }, index) => {
    if (isWide(cidr) && !apiServerPorts.includes(port))
      report(
        `network.apiServer[${index}].cidr`,
        cidr,
        `a range of the API server's own addresses with port ${port}: one wider than /8 (/7 of IPv6) is for ports ${apiServerPorts.join(" and ")} alone`,
        "list its addresses; `kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes` has them",
      );
  });
};
