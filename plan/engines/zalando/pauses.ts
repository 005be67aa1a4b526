import { derived, measured, none, ofTheOnlyInstance, type Pauses, type Timed } from "../pauses";
import { timings } from "./timing";

/** Patroni's timeout for a silent peer, and a client's last attempt at the former primary. */
const ELECTION_SECONDS = 4;

/** A primary that vanished is replaced when its lock has expired and the next loop looks. */
function vanished(failover: Timed["cluster"]["failover"]): number {
  const { ttl, loop_wait } = timings[failover];
  return ttl + loop_wait + ELECTION_SECONDS;
}

export function pauses(settings: Timed): Pauses {
  const { instances, failover } = settings.cluster;
  const poolers = measured(2, "fault 18: 1.9 s");
  const operator = none("nothing: Patroni fails over by itself");
  if (instances === 1) return { ...ofTheOnlyInstance(settings), operator, poolers };
  const patient = failover === "patient";
  return {
    pod: patient
      ? derived(22, "one loop of 10 s more than the 11.5 s that fault 3 took")
      : measured(12, "fault 3: 11.5 s once, 3 s as a rule"),
    node: patient
      ? derived(vanished(failover), "Patroni's ttl, a loop and the election")
      : measured(
          29,
          `faults 11n and 35: 29.0 s; Patroni's ttl, a loop and the election are ${vanished(failover)} s`,
        ),
    operator,
    drain: measured(4, "fault 34: 3.4 s"),
    restart: measured(4, "faults 32 and 33: 3.5 s"),
    poolers,
  };
}
