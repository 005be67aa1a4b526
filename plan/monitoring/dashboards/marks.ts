import type { Mark } from "./model";
import { labels, needs } from "./selectors";

/** What is marked across all panels of a dashboard. */

const { cluster } = labels;
const timeline = `max by (cluster) (pgplatform_server_timeline{${cluster}})`;

export const failovers: Mark = {
  title: "Failovers",
  expr: `${timeline} > max by (cluster) (pgplatform_server_timeline{${cluster}} offset 1m)`,
  text: "another primary: a new timeline has begun",
  colour: "purple",
  needsEvent: needs.failover,
};

export const starts: Mark = {
  title: "Starts",
  expr: `changes(pgplatform_server_start_time_seconds{${cluster}}[1m]) > 0`,
  text: "{{instance}} has started",
  colour: "blue",
  needsEvent: needs.restart,
};
