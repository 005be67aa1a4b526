import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Server } from "@grpc/grpc-js";
import { main, type Provider } from "@pulumi/pulumi/provider";

/**
 * A FAKE of the providers of AWS and Cloudflare, for tests with Pulumi's own engine where neither can be had. It keeps what it is asked for in a
 * folder and invents what the clouds would answer. It shows how our program and the engine get on; it says nothing about AWS or Cloudflare, but for three things
 * that the real providers were seen to refuse or to do: AWS's works in no region that it wasn't told, it reads a bucket's tags through S3 Control with the id of the
 * account, which it hasn't got where it may not ask for it, and Cloudflare's answers a lifecycle with more than it was asked.
 */

const [package_ = "", ...rest] = process.argv.slice(2);
const folder = process.env.FAKE_CLOUD ?? "";
if (folder === "") throw new Error("the fake cloud needs a folder: FAKE_CLOUD");
mkdirSync(folder, { recursive: true });

type Inputs = Record<string, unknown>;

/** What this instance was told of itself. The SDK's own server takes no notice of it. */
let told: Inputs = {};
interface Configuring {
  configure(
    call: { request: { getArgs(): { toJavaScript(): Inputs } | undefined } },
    answer: (error: Error | null, response?: unknown) => void,
  ): void;
}
type AddService = (this: Server, ...of: Parameters<Server["addService"]>) => void;
const addService = Object.getOwnPropertyDescriptor(Server.prototype, "addService")?.value as AddService;
Server.prototype.addService = function (service, implementation) {
  const own = implementation as unknown as Configuring;
  const configure = own.configure.bind(own);
  own.configure = (call, answer) => {
    told = call.request.getArgs()?.toJavaScript() ?? {};
    const region = told.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
    if (package_ === "aws" && region === undefined)
      answer(new Error("fake cloud: missing region configuration: set aws:region or AWS_REGION"));
    else configure(call, answer);
  };
  addService.call(this, service, implementation);
};

/** Whether the id of the account is known, which S3 Control asks for. */
const knowsAccount = (): boolean => String(told.skipRequestingAccountId) !== "true";

const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";
const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";
const fileOf = (urn: string): string =>
  join(folder, `${typeOf(urn).replaceAll(/[^\w]/g, "-")}--${nameOf(urn)}.json`);
const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 20);

/** What the clouds would add. */
function answered(urn: string, inputs: Inputs): Inputs {
  switch (typeOf(urn)) {
    case "aws:iam/user:User":
      return { name: inputs.name ?? `${nameOf(urn)}-${digest(urn).slice(0, 7)}` };
    case "aws:iam/accessKey:AccessKey":
      return { secret: `fake-secret-${digest(urn)}` };
    case "cloudflare:index/accountToken:AccountToken":
      return { value: `fake-token-${digest(urn)}` };
    case "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle":
      return {
        rules: (inputs.rules as Inputs[]).map((rule) => ({ ...rule, storageClassTransitions: [] })),
      };
    default:
      return {};
  }
}

/** A bucket is known by its name, which must be free. */
const bucketName = ({ bucket, name }: Inputs): unknown => bucket ?? name;
const isBucket = (urn: string): boolean => /:(Bucket|R2Bucket)$/.test(typeOf(urn));

const fake: Provider = {
  version: process.env.FAKE_CLOUD_VERSION ?? "0.0.0",
  schema: JSON.stringify({ name: package_, version: "0.0.0", resources: {} }),
  check: (_urn, _olds, news: Inputs) => Promise.resolve({ inputs: news, failures: [] }),
  diff(_id, urn, olds: Inputs, news: Inputs) {
    const changed = Object.keys(news).filter(
      (key) => !key.startsWith("__") && JSON.stringify(news[key]) !== JSON.stringify(olds[key]),
    );
    const replaces = changed.filter((key) => isBucket(urn) && ["bucket", "name"].includes(key));
    return Promise.resolve({ changes: changed.length > 0, replaces });
  },
  create(urn, inputs: Inputs) {
    const file = fileOf(urn);
    const outs = { ...inputs, ...answered(urn, inputs) };
    try {
      // Fails where it is there already, as a bucket's name does.
      writeFileSync(file, JSON.stringify(outs, null, 1), { flag: isBucket(urn) ? "wx" : "w" });
    } catch {
      return Promise.reject(
        new Error(`fake cloud: the bucket ${String(bucketName(inputs))} is there already`),
      );
    }
    if (package_ === "aws" && isBucket(urn) && !knowsAccount())
      return Promise.reject(
        new Error(
          `fake cloud: reading the tags of bucket ${String(bucketName(inputs))}: S3 Control: ListTagsForResource: invalid parameter: AccountId is empty`,
        ),
      );
    return Promise.resolve({ id: isBucket(urn) ? String(bucketName(inputs)) : digest(urn), outs });
  },
  read: (id, urn) => Promise.resolve({ id, props: JSON.parse(readFileSync(fileOf(urn), "utf8")) as Inputs }),
  update(_id, urn, olds: Inputs, news: Inputs) {
    const outs = { ...olds, ...news };
    writeFileSync(fileOf(urn), JSON.stringify(outs, null, 1));
    return Promise.resolve({ outs });
  },
  delete(_id, urn) {
    rmSync(fileOf(urn), { force: true });
    return Promise.resolve();
  },
};

void main(fake, rest);
