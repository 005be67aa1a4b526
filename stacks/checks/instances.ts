import { drainableNodes } from "../sums/availability";
import type { Rule } from "./rule";

export const instancesAndDurability: Rule = ({ cluster, tier }, report) => {
  const { instances, durability, synchronousStandbys } = cluster;
  if (tier === "prod" && instances < 3)
    report("cluster.instances", instances, "at least 3 in the tier prod", "set 3, or pgplatform:tier to dev");
  if (tier === "prod" && cluster.spread === "preferred")
    report(
      "cluster.spread",
      cluster.spread,
      "required in the tier prod, since one lost node could take several instances with it",
      "set required, or pgplatform:tier to dev",
    );
  if (durability === "async") return;
  if (instances === 1)
    report(
      "cluster.durability",
      durability,
      "async with one instance, since no standby could confirm a commit",
      "set async, or cluster.instances to 3",
    );
  else if (durability === "zero-loss") {
    if (instances === 2)
      report(
        "cluster.durability",
        durability,
        "balanced or async with two instances, since writes would stop whenever the only standby restarts",
        "set cluster.instances to 3, or choose balanced",
      );
    else if (instances % 2 === 0)
      report(
        "cluster.instances",
        instances,
        "an odd number with zero-loss, since one more instance adds nothing to an even quorum",
        `set ${instances - 1} or ${instances + 1}`,
      );
    if (instances > 2 && drainableNodes(cluster) === 0)
      report(
        "cluster.synchronousStandbys",
        synchronousStandbys,
        `at most ${instances - 2} with ${instances} instances, so that one standby may be down`,
        `set ${instances - 2}, or more instances`,
      );
  } else if (synchronousStandbys >= instances)
    report(
      "cluster.synchronousStandbys",
      synchronousStandbys,
      `at most ${instances - 1} with ${instances} instances`,
      `set ${instances - 1}`,
    );
};
