import { type Cluster } from "../e2e/kit/cluster";
import { type WatchKind } from "../e2e/kit/engines";
import { type Observation } from "./milestones";

interface Endpoint {
  conditions?: { ready?: boolean };
  targetRef?: { name?: string };
}

/** Reads a line of a watch; `at` is when it came. */
export function observationOf(kind: WatchKind, line: string, at: number): Observation | undefined {
  const words = line.trim().split(/\s+/);
  const [first = "", second = "", third] = words;
  switch (kind) {
    case "pod":
      return { at, kind, pod: second, gone: first === "DELETED" || third !== undefined };
    case "cluster":
      return first === "" ? undefined : { at, kind, targetPrimary: first };
    case "lease": {
      const acquiredAt = Date.parse(second) / 1000;
      return { at, kind, holder: first, acquiredAt: Number.isNaN(acquiredAt) ? undefined : acquiredAt };
    }
    case "endpoints": {
      const endpoints = JSON.parse(line.trim() || "null") as Endpoint[] | null;
      const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready === true);
      return { at, kind, ready: ready.flatMap(({ targetRef }) => targetRef?.name ?? []) };
    }
  }
}

const sameLease = (one: Observation | undefined, other: Observation): boolean =>
  one?.kind === "lease" &&
  other.kind === "lease" &&
  one.holder === other.holder &&
  one.acquiredAt === other.acquiredAt;

/** Watches a cluster's objects until `stop` is called, which returns what came, in order. */
export function observe(cluster: Cluster): { stop: () => Promise<Observation[]> } {
  const seen: Observation[] = [];
  const ended = new AbortController();
  const running = Object.entries(cluster.kit.watches(cluster.name)).map(([kind, { what, print }]) =>
    cluster.kubectl
      .run(
        [
          "-n",
          cluster.namespace,
          "get",
          ...what,
          "--watch",
          "--output-watch-events",
          "-o",
          `jsonpath=${print}{"\\n"}`,
        ],
        {
          signal: ended.signal,
          onLine: (line) => {
            const observation = observationOf(kind as WatchKind, line, Date.now() / 1000);
            // The lease is renewed every second or two: only its taking counts.
            const last = seen.findLast((each) => each.kind === kind);
            if (observation !== undefined && !(kind === "lease" && sameLease(last, observation)))
              seen.push(observation);
          },
        },
      )
      // Ended by `stop`; a watch that ended before leaves its milestones out.
      .catch(() => undefined),
  );
  return {
    stop: async () => {
      ended.abort();
      await Promise.all(running);
      return seen;
    },
  };
}
