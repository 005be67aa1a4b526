import type { Acts, Step } from "../acts";

/** One server: what needs a standby can't be. */
const single = {
  because: "a standalone server has no standby",
  instead: "`pgp restart` restarts it in its place; the engines cnpg and zalando have standbys",
};
const noFence = {
  because: "a standalone server is one pod, which runs PostgreSQL or doesn't",
  instead: "`pgp hibernate` stops it and keeps its data, `pgp wake` starts it",
};

const replicas = (cluster: string, count: number): Step => ({
  kubectl: ["scale", `statefulset/${cluster}`, `--replicas=${count}`],
});
const again = ({ cluster }: { readonly cluster: string }) => ({
  plan: [
    `The pod ${cluster}-0 is deleted and made again on its volumes: PROGRAMS CAN'T CONNECT until PostgreSQL is back, some seconds as a rule.`,
  ],
  steps: [{ kubectl: ["delete", "pod", `${cluster}-0`, "--wait=false"] }],
});

export const acts: Acts = {
  switchover: single,
  failover: single,
  restart: again,
  restartAll: again,
  reload: ({ cluster }) => ({
    plan: ["The server reads its configuration and its certificates again; nothing is interrupted."],
    steps: [
      {
        pod: `${cluster}-0`,
        command: ["psql", "-XAtqU", "postgres", "-c", "select pg_reload_conf()"],
      },
    ],
  }),
  reinit: single,
  fence: noFence,
  unfence: noFence,
  hibernate: ({ cluster }) => ({
    plan: [
      "The server's pod is deleted; its volumes stay. PROGRAMS CAN'T CONNECT until `pgp wake`.",
      "The next `pgp up` starts it again, too.",
    ],
    steps: [replicas(cluster, 0)],
  }),
  wake: ({ cluster }) => ({
    plan: ["The server starts on its volumes."],
    steps: [replicas(cluster, 1)],
  }),
  scale: single,
};
