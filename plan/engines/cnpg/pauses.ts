import { derived, measured, none, ofTheOnlyInstance, type Pause, type Pauses, type Timed } from "../pauses";

/** Kubernetes sets a silent node NotReady after 20 s on the built-in cluster, and after 40 to 50 s by its default. */
const NODE_GRACE = { builtIn: 20, usual: 50 };

/** The bounds of faults 1, 3 and 4 in `make faults`. */
const pod = { fast: 10, standard: 10, patient: 20 } as const;

/** A node that is cut from everything was the longest, 60.7 s with `standard`; fault 11's bounds differ by that much with `patient`. */
const node = { fast: 61, standard: 61, patient: 61 + (110 - 45) } as const;

function ofNode({ platform, cluster: { failover } }: Timed): Pause {
  const seconds = node[failover];
  const isMeasured = failover === "standard";
  if (platform === "local")
    return isMeasured
      ? measured(seconds, "faults 11n and 35")
      : derived(seconds, "faults 11n and 35 with failover standard, and what fault 11 differs by");
  const later = NODE_GRACE.usual - NODE_GRACE.builtIn;
  return derived(
    seconds + later,
    `${seconds} s on the built-in cluster, and ${later} s more until Kubernetes calls the node NotReady by its default`,
  );
}

export function pauses(settings: Timed): Pauses {
  const { instances, failover } = settings.cluster;
  const poolers = measured(2, "fault 18: 1.7 s");
  const operator = none("nothing; a failover that falls into its absence waits for it (fault 14d: 19.2 s)");
  if (instances === 1) return { ...ofTheOnlyInstance(settings), operator, poolers };
  return {
    pod: measured(pod[failover], "faults 1 to 4: the bound of `make faults`"),
    node: ofNode(settings),
    operator,
    drain: measured(9, "fault 34: 8.5 s"),
    restart: measured(14, "faults 32 and 33: 13.2 s on a loaded machine, 7 to 11 s as a rule"),
    poolers,
  };
}
