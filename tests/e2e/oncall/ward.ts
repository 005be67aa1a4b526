import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { issue, type Issued } from "../../../components/issuing";
import { reloadLabel } from "../../../plan/tls";
import { projectDir } from "../../../shell/paths";
import { run, type RunResult } from "../../../shell/process";
import { stackName, type Environment } from "../kit/environment";
import type { Clients } from "../kit/fixture";
import type { ChangedStack } from "../kit/settings";
import { say } from "../kit/wait";
import type { Bench } from "../monitoring/bench";

export const certificateSecret = "pgp-e2e-certificate";

const DAY_MS = 86_400_000;
const curve = { name: "ECDSA", namedCurve: "P-256" };

/** A certificate of the same CA and key for other days: what `issue` makes is good for a year. */
async function forDays({ ca, caKey, certificate }: Issued, days: number): Promise<string> {
  x509.cryptoProvider.set(webcrypto as never);
  const of = new x509.X509Certificate(certificate);
  const der = createPrivateKey(caKey).export({ format: "der", type: "pkcs8" });
  const signingKey = await webcrypto.subtle.importKey("pkcs8", der, curve, false, ["sign"]);
  const made = await x509.X509CertificateGenerator.create({
    subject: of.subject,
    issuer: new x509.X509Certificate(ca).subject,
    publicKey: of.publicKey,
    signingKey,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    notBefore: of.notBefore,
    notAfter: new Date(Date.now() + days * DAY_MS),
    extensions: of.extensions,
  });
  return `${made.toString("pem")}\n`;
}

/** The servers' certificate, of an owner outside. */
export class OutsideCertificate {
  private constructor(
    private readonly env: Environment,
    private readonly issued: Issued,
  ) {}

  static async issue(env: Environment, names: readonly string[]): Promise<OutsideCertificate> {
    return new OutsideCertificate(env, await issue(names));
  }

  /** Gives the Secret one that ends in so many days. */
  async give(days: number): Promise<void> {
    const { ca, privateKey } = this.issued;
    await this.env.kubectl.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: certificateSecret,
        namespace: this.env.settings.cluster.namespace,
        labels: { ...reloadLabel },
      },
      stringData: { "ca.crt": ca, "tls.crt": await forDays(this.issued, days), "tls.key": privateKey },
    });
  }
}

/** The platform of the one on call, and what happens to it. */
export class Ward {
  private hung: string | undefined;
  /** The node that a situation has switched off. */
  node = "";

  constructor(
    readonly env: Environment,
    readonly clients: Clients,
    readonly stack: ChangedStack,
    readonly bench: Bench,
    readonly certificate: OutsideCertificate,
  ) {}

  /** Runs a command as the status writes it, with the stack's name. */
  async shell(command: string): Promise<RunResult> {
    say(command);
    const [program, name = "", ...rest] = command.split(" ");
    const line = program === "pgp" ? ["./pgp", name, "--stack", stackName, ...rest].join(" ") : command;
    return run("bash", ["-c", line], {
      cwd: projectDir,
      allowFailure: true,
      env: { ...this.env.kubectl.environment, ...this.stack.variables() },
    });
  }

  /** A command that must end well. */
  async does(command: string): Promise<void> {
    const { exitCode, stdout, stderr } = await this.shell(command);
    if (exitCode !== 0) throw new Error(`${command}: exit code ${exitCode}\n${stdout}${stderr}`);
  }

  async up(): Promise<void> {
    const { exitCode, lines } = await this.stack.make("up");
    if (exitCode !== 0) throw new Error(`make up: ${lines.slice(-5).join(" | ")}`);
  }

  /** Stops all processes of the primary's PostgreSQL, or lets them continue where they are still there. */
  async signalPrimary(signal: "STOP" | "CONT"): Promise<void> {
    this.hung = signal === "STOP" ? await this.env.cluster.primary() : this.hung;
    const line = `for p in $(pgrep -x postgres); do kill -${signal} "$p" 2>/dev/null; done; true`;
    const done = this.env.cluster.exec(this.hung ?? "", ["bash", "-c", line]);
    await (signal === "CONT" ? done.catch(() => "") : done);
  }
}
