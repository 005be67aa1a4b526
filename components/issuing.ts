import type * as pulumi from "@pulumi/pulumi";

/** What the certificate is for. */
export interface Wanted {
  /** Names of the servers, the first of them also the certificate's common name where it fits. */
  readonly names: readonly string[];
  /** Whether a server shows it, or a client. @default - server */
  readonly use?: "server" | "client";
}

/** A CA and the certificate that it signed, in PEM. */
export interface Issued extends Wanted {
  readonly ca: string;
  readonly caKey: string;
  readonly certificate: string;
  readonly privateKey: string;
}

/**
 * Issues and renews the certificate. Pulumi writes this object, code and all, into the state and runs it in a process of its own:
 * whatever it uses has to be inside its functions.
 */
export const issuing = {
  async create({ names, use }: Wanted): Promise<{ id: string; outs: Issued }> {
    const outs = await issue(names, use);
    return { id: `CA of ${names[0] ?? "nobody"}`, outs };
  },

  async update(_id: string, former: Issued, { names, use }: Wanted): Promise<{ outs: Issued }> {
    return { outs: await issue(names, use, former) };
  },

  diff(_id: string, former: Issued, { names }: Wanted): Promise<{ changes: boolean }> {
    return Promise.resolve({ changes: outdated(former, names, new Date()) });
  },
} satisfies pulumi.dynamic.ResourceProvider<Wanted, Issued>;

/** Whether another certificate is needed: for other names, or since its last 60 days have begun. */
export function outdated(former: Issued, names: readonly string[], now: Date): boolean {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- see `issuing`
  const { X509Certificate } = require("node:crypto") as typeof import("node:crypto");
  const renewalMs = 60 * 24 * 3_600_000;
  const end = Date.parse(new X509Certificate(former.certificate).validTo);
  return end - now.getTime() < renewalMs || former.names.join() !== names.join();
}

/** A certificate for these names, signed by the CA of a former one, or by a new CA. */
export async function issue(
  names: readonly string[],
  use: Wanted["use"] = "server",
  former?: Pick<Issued, "ca" | "caKey">,
): Promise<Issued> {
  /* eslint-disable @typescript-eslint/no-require-imports -- see `issuing` */
  require("reflect-metadata");
  const x509 = require("@peculiar/x509") as typeof import("@peculiar/x509");
  const { webcrypto, createPrivateKey } = require("node:crypto") as typeof import("node:crypto");
  /* eslint-enable @typescript-eslint/no-require-imports */
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };
  const newKeys = () => webcrypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const keyPem = async (key: import("node:crypto").webcrypto.CryptoKey): Promise<string> =>
    x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
  const from = new Date();
  const until = (years: number): Date => {
    const date = new Date(from);
    date.setUTCFullYear(date.getUTCFullYear() + years);
    return date;
  };
  // A clock that is a little behind must not refuse what was signed this minute.
  const notBefore = new Date(from.getTime() - 3_600_000);
  const { KeyUsageFlags } = x509;

  const makeCa = async () => {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=PostgreSQL CA of ${names[0] ?? "nobody"}`.slice(0, 67),
      keys,
      signingAlgorithm,
      notBefore,
      notAfter: until(20),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return { ca: certificate.toString("pem"), caKey: await keyPem(keys.privateKey) };
  };
  const { ca, caKey } = former ?? (await makeCa());

  const issuer = new x509.X509Certificate(ca);
  const der = createPrivateKey(caKey).export({ format: "der", type: "pkcs8" });
  const signingKey = await webcrypto.subtle.importKey("pkcs8", der, curve, false, ["sign"]);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${(names[0] ?? "nobody").slice(0, 64)}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm,
    notBefore,
    notAfter: until(1),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        use === "client" ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    names: [...names],
    use,
    ca,
    caKey,
    certificate: certificate.toString("pem"),
    privateKey: await keyPem(keys.privateKey),
  };
}
