/** What a change does to the running database, the heaviest first. */
export const effects = ["replacement", "stop", "restart", "pause", "reload", "nothing"] as const;
export type Effect = (typeof effects)[number];

export const meanings: Readonly<Record<Effect, string>> = {
  replacement: "deleted, or made again: what it holds is lost",
  stop: "PostgreSQL stops on all instances",
  restart: "instances restart",
  pause: "clients of poolers connect again",
  reload: "read while it runs",
  nothing: "the running database notices nothing",
};

/** The heavier of two. */
export const heavier = (one: Effect, other: Effect): Effect =>
  effects.indexOf(one) <= effects.indexOf(other) ? one : other;
