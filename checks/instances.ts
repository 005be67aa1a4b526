import { aloneAsynchronous } from "../policy/invariants/aloneAsynchronous";
import { enoughInstances } from "../policy/invariants/instances";
import { oddQuorum } from "../policy/invariants/oddQuorum";
import { synchronousNumber } from "../policy/invariants/synchronousNumber";
import { drainableNodes } from "../settings/sums/availability";
import type { Rule } from "./rule";

export const instancesAndDurability: Rule = ({ cluster, tier }, report) => {
  const { instances, durability, synchronousStandbys } = cluster;
  // What the settings claim, in the terms of the policies: these say the same about what is rendered.
  const zeroLoss = durability === "zero-loss";
  const synchronous = {
    number: durability === "async" ? 0 : synchronousStandbys,
    blocks: zeroLoss,
    quorum: zeroLoss,
  };
  const claims = { instances, synchronous };
  if (tier === "prod")
    for (const { value, allowed } of enoughInstances(claims, { least: 3 }))
      report("cluster.instances", value, `${allowed} in the tier prod`, "set 3, or pgplatform:tier to dev");
  if (tier === "prod" && cluster.spread === "preferred")
    report(
      "cluster.spread",
      cluster.spread,
      "required in the tier prod, since one lost node could take several instances with it",
      "set required, or pgplatform:tier to dev",
    );
  if (cluster.drains !== undefined && instances > 1)
    report(
      "cluster.drains",
      cluster.drains,
      "must not be set with more than one instance: a drain takes one at a time, the primary after a switchover",
      "leave it out",
    );
  if (cluster.watchdogSeconds !== undefined && instances === 1)
    report(
      "cluster.watchdogSeconds",
      cluster.watchdogSeconds,
      "must not be set with one instance, which no other could replace",
      "leave it out, or set cluster.instances to 3",
    );
  else if (cluster.watchdogSeconds !== undefined && durability === "async")
    report(
      "cluster.watchdogSeconds",
      cluster.watchdogSeconds,
      "must not be set with the durability async: a primary that is given up may have acknowledged what no standby has",
      "leave it out, or set cluster.durability to zero-loss",
    );
  if (aloneAsynchronous(claims).length > 0)
    report(
      "cluster.durability",
      durability,
      "async with one instance, since no standby could confirm a commit",
      "set async, or cluster.instances to 3",
    );
  else if (zeroLoss && instances < 3 && drainableNodes(cluster) === 0)
    report(
      "cluster.durability",
      durability,
      "balanced or async with two instances, since writes would stop whenever the only standby restarts",
      "set cluster.instances to 3, or choose balanced",
    );
  else {
    for (const { value, allowed, fix } of oddQuorum(claims)) report("cluster.instances", value, allowed, fix);
    for (const { value, allowed, fix } of synchronousNumber(claims))
      report("cluster.synchronousStandbys", value, allowed, fix);
    if (durability === "balanced" && synchronousStandbys >= instances)
      report(
        "cluster.synchronousStandbys",
        synchronousStandbys,
        `at most ${instances - 1} with ${instances} instances`,
        `set ${instances - 1}`,
      );
  }
};
