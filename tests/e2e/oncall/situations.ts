import { power, network } from "../../../local/cluster/cluster";
import type { Capability } from "../../../plan/engines/planner";
import type { Ward } from "./ward";

/** What someone is called for at night: how it comes, what the status is to say of it, and how it ends by the page that the status names. */
export interface Situation {
  readonly title: string;
  /** @default - every engine */
  readonly needs?: readonly Capability[];
  /** Needs power switches and cables: the built-in cluster. @default false */
  readonly builtIn?: true;
  cause(ward: Ward): Promise<void>;
  /** A problem of the status. */
  readonly says: RegExp;
  /** In docs/. */
  readonly page: RegExp;
  /** The next command that the status names, and what it shows or does. */
  readonly next: RegExp;
  readonly shows?: RegExp;
  /** What the page says to do beside the next command. @default - nothing */
  remedy?(ward: Ward): Promise<void>;
  /** Takes back what is left of the cause. @default - nothing is left */
  undo?(ward: Ward): Promise<void>;
  /** What is told for as long as the status looks back. @default - nothing */
  readonly stays?: RegExp;
}

export const situations: readonly Situation[] = [
  {
    title: "a session that blocks another",
    cause: async ({ bench }) => {
      await bench.sql("create table if not exists e2e_locked ()");
      await bench.hold("begin; lock table e2e_locked in access exclusive mode;");
      await bench.hold("select count(*) from e2e_locked;");
    },
    says: /^1 session waits for a lock/,
    page: /^runbooks\/blocked-sessions\.md$/,
    next: /^pgp blockers$/,
    shows: /lock table e2e_locked/,
    remedy: (ward) => ward.does("pgp blockers --terminate --yes"),
    undo: async ({ bench }) => {
      await bench.release();
      await bench.sql("drop table if exists e2e_locked");
    },
  },
  {
    title: "poolers without a pod",
    cause: ({ env }) =>
      env.kubectl.run([...scaleOf(env), env.pooler.name, "--replicas=0"]).then(() => undefined),
    says: /^no pod of a pooler is ready/,
    page: /^runbooks\/pooler-down\.md$/,
    next: /^kubectl .* get pods -l app\.kubernetes\.io\/name=pgbouncer/,
    shows: /No resources found|pooler/,
    remedy: (ward) => ward.up(),
  },
  {
    title: "a store that is away",
    cause: async ({ bench }) => {
      await bench.scaleStore(0);
      await bench.sql("select pg_logical_emit_message(true, 'e2e', 'x'); select pg_switch_wal();");
    },
    says: /^(?:target near can't be read|WAL is not archived|the RPO is missed)/,
    page: /^runbooks\/(?:target-down|wal-archiving-failed|recovery-point-missed)\.md$/,
    next: /^pgp (?:backups|logs --no-follow --since 10m --level warning)$/,
    shows: /near|WARNING|ERROR/,
    remedy: ({ bench }) => bench.scaleStore(1),
  },
  {
    title: "the primary's pod deleted by force",
    cause: async ({ env }) => env.cluster.deletePod(await env.cluster.primary()),
    says: /instances are there|no instance|is being deleted|not ready|can't be reached|main-\d|container/,
    page: /^runbooks\/(?:instances-missing|postgresql-down|standby-not-streaming|no-synchronous-standby|node-not-ready)\.md$/,
    next: /^(?:pgp logs|kubectl .* (?:describe pod|get events|get pods))/,
  },
  {
    title: "a standby that is cut off from the primary",
    needs: ["standbys"],
    builtIn: true,
    cause: async ({ env }) => {
      const primary = await env.cluster.primary();
      const pods = await env.cluster.instances();
      const address = (of: (name: string) => boolean) =>
        pods
          .filter(({ metadata }) => of(metadata.name))
          .map(({ status }) => (status as { podIP?: string }).podIP ?? "")[0] ?? "";
      const from = address((name) => name === primary);
      await network({ cut: [{ from, to: address((name) => name !== primary) }] });
    },
    says: /^main-\d (?:does not stream from the primary|is .* behind the primary)/,
    page: /^runbooks\/(?:standby-not-streaming|replication-lag)\.md$/,
    next: /^pgp (?:logs --no-follow --since 30m --level warning|blockers)$/,
    remedy: () => network("heal"),
    undo: () => network("heal"),
  },
  {
    title: "a certificate that ends tomorrow",
    cause: ({ certificate }) => certificate.give(1),
    says: /^the server certificate \(Secret pgp-e2e-certificate\) ends in 2\d h/,
    page: /^runbooks\/certificate-ends-soon\.md$/,
    next: /^kubectl .* describe secret pgp-e2e-certificate$/,
    shows: /tls\.crt:/,
    remedy: ({ certificate }) => certificate.give(365),
  },
  {
    title: "a primary that hangs",
    cause: (ward) => ward.signalPrimary("STOP"),
    says: /does not answer: it hangs$/,
    page: /^runbooks\/postgresql-down\.md$/,
    next: /^pgp (?:failover|restart main-0)$/,
    undo: (ward) => ward.signalPrimary("CONT"),
  },
  {
    title: "the primary's node off",
    builtIn: true,
    cause: async (ward) => {
      const { env } = ward;
      const primary = await env.cluster.primary();
      const pod = (await env.cluster.instances()).find(({ metadata }) => metadata.name === primary);
      ward.node = String(pod?.spec?.nodeName);
      await power(ward.node, "off");
    },
    says: /^main-\d is on node n\d, which is not ready$/,
    page: /^runbooks\/node-not-ready\.md$/,
    next: /^kubectl .*describe node n\d$/,
    shows: /Ready\s+(?:Unknown|False)/,
    remedy: ({ node }) => power(node, "on"),
    undo: ({ node }) => power(node, "on"),
  },
  {
    title: "an application with a wrong password",
    cause: async ({ env, clients }) => {
      for (let time = 0; time < 4; time++)
        await clients.pooled.psql(env.pooler.host, "select 1", { PGPASSWORD: "wrong" });
      for (let time = 0; time < 3; time++)
        await clients.direct.psql(env.plan.endpoints.primary.host, "select 1", { PGPASSWORD: "wrong" });
    },
    says: /^4 logins as \S+ were refused in the last 10 minutes by \S*pooler.*, from \d.*password authentication failed/,
    page: /^connect\.md#a-login-that-is-refused$/,
    next: /^pgp logs --no-follow --since 10m --level error$/,
    shows: /password authentication failed/,
    stays: /^\d+ logins as \S+ were refused/,
  },
];

const scaleOf = (env: Ward["env"]): string[] => ["-n", env.settings.cluster.namespace, "scale", "deployment"];
