import { inServer } from "../../../operations/inContainer";
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { storeName, storeNamespace } from "../../../plan/backup/storeNames";
import { monitor } from "../../../plan/monitoring/names";
import { bytesOf } from "../../../settings/quantity";
import type { KubeObject } from "../../../operations/kubectl";
import { type Environment } from "../kit/environment";
import { type Clients } from "../kit/fixture";
import type { ChangedStack } from "../kit/settings";

/** What the causes of alerts do to a platform. */

const APPLICATION = "pgp-e2e-alerts";
const HOLD_SECONDS = 1800;

const CERTIFICATE = "e2e-certificate";
/** Bytes of a row of `fill`, with its head; four are a page. */
const ROW_BYTES = 2048;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export class Bench {
  private readonly kept = new Map<string, KubeObject>();

  constructor(
    readonly env: Environment,
    readonly clients: Clients,
    private readonly stack: Pick<ChangedStack, "make">,
  ) {}

  private get database(): string {
    return this.clients.login.database;
  }

  primary(): Promise<string> {
    return this.env.cluster.primary();
  }

  async standbys(): Promise<string[]> {
    const primary = await this.primary();
    return (await this.env.cluster.names()).filter((name) => name !== primary);
  }

  /** Stops or continues the process that replays WAL: a pause by SQL is ended by Patroni. */
  async signalReplay(standby: string, signal: "STOP" | "CONT"): Promise<void> {
    const find = `for one in /proc/[0-9]*; do tr '\\0' ' ' <"$one/cmdline" 2>/dev/null | grep -q '^postgres: .*startup' && kill -${signal} "\${one#/proc/}"; done; true`;
    await this.env.kubectl.run([...inServer(this.env, standby), "bash", "-c", find]);
  }

  /** Statements at the primary, as its superuser, in the application's database. */
  async sql(statements: string): Promise<void> {
    await this.env.cluster.sql(await this.primary(), statements, this.database);
  }

  /** A session that executes the statements and then stays, whatever comes of them. */
  async hold(statements: string, sessions = 1): Promise<void> {
    const psql = `psql -XqU postgres -d ${quoted(this.database)}`;
    const one = `{ echo ${quoted(statements)}; sleep ${HOLD_SECONDS}; } | PGAPPNAME=${APPLICATION} ${psql} >/dev/null 2>&1 </dev/stdin`;
    const line = `for _ in $(seq ${sessions}); do setsid bash -c ${quoted(one)} >/dev/null 2>&1 </dev/null & done`;
    await this.env.cluster.exec(await this.primary(), ["bash", "-c", line]);
  }

  /** Ends all sessions of `hold`. */
  release(): Promise<void> {
    return this.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${APPLICATION}'`,
    );
  }

  /** Lets the databases of the primary grow to a share of the data volume's size. The standbys get nothing of it. */
  async fill(share: number): Promise<void> {
    const size = bytesOf(this.env.settings.cluster.storage.size) ?? 0;
    const rows = Math.ceil((size * share) / ROW_BYTES);
    await this.hold(
      `create unlogged table e2e_full as select repeat(md5(x::text), 60) as filler from generate_series(1, ${rows}) x;`,
    );
  }

  async empty(): Promise<void> {
    await this.release();
    await this.sql("drop table if exists e2e_full");
  }

  /** Runs a target as a user does; throws where it doesn't end as it should. */
  async make(target: "backup" | "verify", well = true): Promise<void> {
    const { exitCode, lastLine } = await this.stack.make(target);
    if ((exitCode === 0) !== well) throw new Error(`make ${target} ended with ${exitCode}: ${lastLine}`);
  }

  /** Gives the monitor a certificate that ends tomorrow, in the place of the servers'. */
  async giveMonitorCertificate(): Promise<void> {
    const { kubectl, settings, plan } = this.env;
    x509.cryptoProvider.set(webcrypto as never);
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const made = await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=main",
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000),
      signingAlgorithm: algorithm,
      keys: keys as never,
    });
    await kubectl.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: CERTIFICATE, namespace: settings.cluster.namespace },
      stringData: { [plan.tls.server.certificateKey]: `${made.toString("pem")}\n` },
    });
    await this.patchMonitor(CERTIFICATE);
  }

  async returnMonitorCertificate(): Promise<void> {
    const { kubectl, settings, plan } = this.env;
    await this.patchMonitor(plan.tls.server.secretName);
    await kubectl.run(["-n", settings.cluster.namespace, "delete", "secret", CERTIFICATE]);
  }

  private async patchMonitor(secretName: string): Promise<void> {
    const { kubectl, settings } = this.env;
    const { namespace, name } = settings.cluster;
    const volumes = [{ name: "server", secret: { secretName } }];
    const patch = JSON.stringify({ spec: { template: { spec: { volumes } } } });
    const deployment = `deployment/${monitor.name(name)}`;
    await kubectl.run(["-n", namespace, "patch", deployment, "--type=strategic", "-p", patch]);
    await kubectl.run(["-n", namespace, "rollout", "status", deployment, "--timeout=120s"]);
  }

  async scale(kind: string, namespace: string, name: string, replicas: number): Promise<void> {
    await this.env.kubectl.run(["-n", namespace, "scale", kind, name, `--replicas=${replicas}`]);
  }

  scaleStore(replicas: number): Promise<void> {
    const { cluster, backup } = this.env.settings;
    const [target] = backup?.targets ?? [];
    return this.scale(
      "statefulset",
      storeNamespace(cluster),
      storeName(cluster.name, target?.name ?? ""),
      replicas,
    );
  }

  async deleteStandbys(): Promise<void> {
    await Promise.all((await this.standbys()).map((name) => this.env.cluster.deletePod(name)));
  }

  /** Takes what comes in from monitoring's namespace out of the instances' network policy. */
  async closeMetrics(): Promise<void> {
    const { kubectl, settings } = this.env;
    const { namespace, name } = settings.cluster;
    const { metricsPods } = this.env.plan;
    const policy = `${name}-${metricsPods?.kind === "pods" ? metricsPods.name : "instances"}`;
    const found = await kubectl.get("networkpolicy", namespace, policy);
    if (found === undefined) throw new Error(`there is no network policy ${policy}`);
    const { ingress = [], ...spec } = found.spec as { ingress?: { ports: { port: number }[] }[] };
    const { metrics } = this.env.plan.ports;
    const kept = ingress.filter(({ ports }) => !ports.some(({ port }) => port === metrics));
    if (kept.length === ingress.length) throw new Error("the metrics port isn't open");
    this.kept.set(policy, { ...found, spec: { ...spec, ingress } });
    await this.patchPolicy(policy, kept);
    // A connection that is there stays open to whom it belongs; Prometheus keeps one to each exporter.
    const of = ["-n", "monitoring", "-l", "app.kubernetes.io/name=prometheus"];
    await kubectl.run(["delete", "pod", ...of, "--wait=true"], { timeoutMs: 120_000 });
    await kubectl.run(["wait", "pod", ...of, "--for=condition=Ready", "--timeout=120s"], {
      timeoutMs: 130_000,
    });
  }

  async openMetrics(): Promise<void> {
    for (const [policy, object] of this.kept)
      await this.patchPolicy(policy, (object.spec as { ingress: object[] }).ingress);
    this.kept.clear();
  }

  private async patchPolicy(policy: string, ingress: readonly object[]): Promise<void> {
    const { kubectl, settings } = this.env;
    const patch = JSON.stringify({ spec: { ingress } });
    await kubectl.run([
      ...["-n", settings.cluster.namespace, "patch", "networkpolicy", policy],
      ...["--type=merge", "-p", patch],
    ]);
  }
}
