import { isEveryAddress } from "../settings/cidr";
import type { Rule } from "./rule";

/** Ports that the defaults open to every address, since the API server may be anywhere. */
const apiServerPorts = [443, 6443];

/** Instances must not be able to call any address at any port: that would open the namespace. */
export const networks: Rule = ({ network }, report) => {
  network.apiServer.forEach(({ cidr, port }, index) => {
    if (isEveryAddress(cidr) && !apiServerPorts.includes(port))
      report(
        `network.apiServer[${index}].cidr`,
        cidr,
        `a range of the API server's own addresses with port ${port}: every address is for ports ${apiServerPorts.join(" and ")} alone`,
        "list its addresses; `kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes` has them",
      );
  });
};
