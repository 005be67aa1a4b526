import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planner } from "../../../plan/engines/cnpg/planner";
import { postInitSql } from "../../../plan/engines/cnpg/sql";
import { poolerName, roles } from "../../../plan/names";
import { poolerPlan } from "../../../plan/pooler/plan";
import type { Settings, SettingsInput } from "../../../settings/schema";
import { run } from "../../../shell/process";
import { type Pair, pairOf, type Server } from "../../sql/servers";
import { checked, smallest } from "../../support/settings";
import { makeCertificates } from "./certificates";
import { host, Service } from "./network";
import { type Container, Pod } from "./pod";

/** The plan's pooler with real servers, and how clients reach both. */

export type PoolerInput = NonNullable<SettingsInput["poolers"]>[number];

const passwords = { app: "secretOfTheApplication", pooler: "secretOfTheLookup" };

interface Deployment {
  spec: { template: { spec: { containers: Container[] } } };
}

export class Stack {
  private readonly pods: Pod[] = [];
  private numbers = 0;

  private constructor(
    readonly folder: string,
    readonly servers: Pair,
    readonly primary: Service,
    readonly pooler: Service,
    readonly settings: Settings,
    private readonly container: Container,
    private readonly files: Readonly<Record<string, string>>,
  ) {}

  static async start(own: Partial<PoolerInput> = {}, configuration: readonly string[] = []): Promise<Stack> {
    const input = smallest();
    const settings = checked({
      ...input,
      cluster: { ...input.cluster, maxConnections: 100 },
      poolers: [{ name: "app", database: "app", ...own }],
    });
    const [pooler] = settings.poolers;
    if (pooler === undefined) throw new Error("no pooler");
    const plan = planner.plan(settings);
    const objects = poolerPlan(settings, pooler, plan).objects.map(({ object }) => object);
    const files = objects.find(({ kind }) => kind === "ConfigMap")?.data as Record<string, string>;
    const deployment = objects.find(({ kind }) => kind === "Deployment") as unknown as Deployment;
    const container = deployment.spec.template.spec.containers.find(({ name }) => name === "pgbouncer");
    if (container === undefined) throw new Error("no container of PgBouncer");

    const folder = mkdtempSync(join(tmpdir(), "pgp-clients-"));
    chmodSync(folder, 0o755);
    const names = [plan.endpoints.primary.service, `${poolerName("main", "app")}.postgres.svc`];
    await makeCertificates(folder, names);
    const ofServer = join(folder, "server");
    mkdirSync(ofServer);
    for (const file of ["tls.crt", "tls.key"]) {
      cpSync(join(folder, file), join(ofServer, file));
      chmodSync(join(ofServer, file), 0o600);
      chownSync(join(ofServer, file), NOBODY, NOBODY);
    }
    const servers = pairOf(MAJOR, [
      `listen_addresses = '${host}'`,
      "ssl = on",
      `ssl_cert_file = '${ofServer}/tls.crt'`,
      `ssl_key_file = '${ofServer}/tls.key'`,
      "max_connections = 100",
      ...configuration,
    ]);
    for (const server of [servers.primary, servers.standby])
      appendFileSync(join(server.data, "pg_hba.conf"), "hostssl all all 0.0.0.0/0 scram-sha-256\n");
    servers.standby.psql("SELECT pg_reload_conf()");
    servers.primary.psql(`SELECT pg_reload_conf();
${postInitSql(settings)
  .map((one) => `${one};`)
  .join("\n")}
ALTER ROLE ${roles.pooler} PASSWORD '${passwords.pooler}';
CREATE ROLE app LOGIN PASSWORD '${passwords.app}';
CREATE DATABASE app OWNER app;
ALTER SYSTEM SET synchronous_standby_names = '*';
SELECT pg_reload_conf();`);
    const primary = await new Service(plan.endpoints.primary.service, 5432).make();
    const service = await new Service(names[1] ?? "", 5432).make();
    writeFileSync(
      join(folder, "hosts"),
      `127.0.0.1 localhost\n${service.address} ${service.name}\n${primary.address} ${primary.name}\n`,
    );
    await run("mount", ["--bind", join(folder, "hosts"), "/etc/hosts"]);
    const stack = new Stack(folder, servers, primary, service, settings, container, files);
    await stack.leadTo(servers.primary);
    await stack.scale(pooler.instances);
    return stack;
  }

  /** Has the primary's Service lead to a server, or to none. */
  leadTo(server?: Server): Promise<void> {
    return this.primary.leadTo(server ? [`${host}:${server.port}`] : []);
  }

  /** As many pods as this, behind the Service once they listen. */
  async scale(count: number): Promise<void> {
    while (this.pods.length < count) {
      const pod = new Pod(++this.numbers, join(this.folder, `pod-${this.numbers}`), this.container, {
        "etc/pgbouncer": this.files,
        "etc/pgbouncer-tls": {
          "tls.crt": join(this.folder, "tls.crt"),
          "tls.key": join(this.folder, "tls.key"),
        },
        "etc/pgbouncer-ca": { "ca.crt": join(this.folder, "ca.crt") },
        "etc/pgbouncer-users": { "userlist.txt": userlist },
      });
      this.pods.push(pod);
      this.tellNames();
      await pod.start();
    }
    await this.route();
  }

  get running(): readonly Pod[] {
    return this.pods;
  }

  /** Takes a pod out of the Service, as Kubernetes does when the pod is told to stop; then it does what the caller wants. */
  async remove(pod: Pod, how: (pod: Pod) => Promise<unknown>): Promise<void> {
    const staying = this.pods.filter((one) => one !== pod);
    await this.pooler.leadTo(staying.map(({ address }) => `${address}:6432`));
    await how(pod);
    this.pods.splice(0, this.pods.length, ...staying);
    this.tellNames();
  }

  private route = (): Promise<void> => this.pooler.leadTo(this.pods.map(({ address }) => `${address}:6432`));

  /** What the cluster's DNS says. */
  private tellNames(): void {
    const peers = this.container.env.find(({ name }) => name === "POOLER_PEERS")?.value;
    const lines = [
      "127.0.0.1 localhost",
      `${this.primary.address} ${this.primary.name}`,
      ...(peers === undefined ? [] : this.pods.map(({ address }) => `${address} ${peers}`)),
    ];
    for (const pod of this.pods) pod.write("etc/hosts", `${lines.join("\n")}\n`);
  }

  /** Environment of a client: through the poolers, or to the primary; what libpq reads, and what docs/connect.md has a binding's Deployment set. */
  environment(through: "pooler" | "primary" = "pooler"): Record<string, string> {
    const { name } = this[through];
    return {
      POSTGRES_HOST: name,
      POSTGRES_PORT: "5432",
      POSTGRES_DB: "app",
      USE_PGBOUNCER: through === "pooler" ? "True" : "False",
      DATABASE_USER: "app",
      DATABASE_PASSWORD: passwords.app,
      DATABASE_URL: `postgresql://app:${passwords.app}@${name}:5432/app`,
      PGHOST: name,
      PGPORT: "5432",
      PGDATABASE: "app",
      PGUSER: "app",
      PGPASSWORD: passwords.app,
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: join(this.folder, "ca.crt"),
      PGCONNECT_TIMEOUT: "130",
    };
  }

  async end(): Promise<void> {
    for (const pod of this.pods) await pod.kill("SIGKILL");
    await run("umount", ["/etc/hosts"]);
    this.servers.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const MAJOR = Number(process.env.CLIENTS_POSTGRES ?? 17);
const NOBODY = 65534;
const userlist = `"${roles.pooler}" "${passwords.pooler}"\n"${roles.poolerStats}" "nobodyReadsThem"\n`;
