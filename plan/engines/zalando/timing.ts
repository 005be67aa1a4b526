import type { Settings } from "../../../settings/schema";

/**
 * Failover timing, in seconds.
 *
 * The primary renews its lock every `loop_wait`; the others elect one of them when it is older than `ttl`. A primary that can't renew
 * gives up before that: Patroni tries for `retry_timeout`, twice in a loop, so that loop_wait + 2 * retry_timeout may not be more than
 * ttl. A primary that vanishes is replaced after ttl - loop_wait to ttl + loop_wait, and the time of an election. One that stops in
 * order, or whose server dies beside a living Patroni, is replaced at the next loop at the latest.
 */
export interface Timing {
  readonly ttl: number;
  readonly loop_wait: number;
  readonly retry_timeout: number;
}

export const timings: Readonly<Record<Settings["cluster"]["failover"], Timing>> = {
  // Patroni takes no ttl below 20.
  fast: { ttl: 20, loop_wait: 1, retry_timeout: 3 },
  standard: { ttl: 20, loop_wait: 1, retry_timeout: 5 },
  patient: { ttl: 30, loop_wait: 10, retry_timeout: 10 },
};

/**
 * What the custom resource has no field for. A primary whose server died hands over at once instead of trying to start it for five
 * minutes; without a standby that may take over, it starts it all the same. A former primary that can't be rewound, or that lies on another
 * timeline, is copied again instead of failing for ever: Spilo sets neither.
 */
export const furtherConfiguration = {
  primary_start_timeout: 0,
  postgresql: {
    remove_data_directory_on_rewind_failure: true,
    remove_data_directory_on_diverged_timelines: true,
  },
} as const;
