import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../shell/process";

/** A CA, and the certificate of servers and poolers with these names, in a folder. */
export async function makeCertificates(folder: string, names: readonly string[]): Promise<void> {
  const openssl = (args: string) => run("openssl", args.split(" "), { cwd: folder });
  writeFileSync(join(folder, "names"), `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\n`);
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  await openssl(`req -x509 ${key} -keyout ca.key -out ca.crt -subj /CN=ca -days 2`);
  await openssl(`req ${key} -keyout tls.key -out tls.csr -subj /CN=server`);
  await openssl(
    "x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out tls.crt -days 2 -extfile names",
  );
  chmodSync(join(folder, "tls.key"), 0o644);
}
