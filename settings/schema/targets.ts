import { X509Certificate } from "node:crypto";
import * as z from "zod";
import { atOnce, boolean, documented, integer, label, labels, oneOf, port, quantity, quoted } from "./types";

/** Targets of backups, by kind: which settings each kind has, needs and refuses. */

export const restarts =
  "With the engine zalando it restarts the instances one after another, the primary last.";
export const moves = `A change makes a new archive at the new place, with a base backup; the old one stays where it is. ${restarts}`;

const kinds = ["r2", "b2", "aws", "s3", "local"] as const;
export type TargetKind = (typeof kinds)[number];

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Whether a text is certificates in PEM and nothing else, least of all a private key. */
function isCertificates(text: string): boolean {
  const certificates = text.match(PEM) ?? [];
  if (certificates.length === 0 || text.replace(PEM, "").trim() !== "") return false;
  try {
    return certificates.every((one) => new X509Certificate(one).raw.length > 0);
  } catch {
    return false;
  }
}

const kind = <K extends TargetKind>(own: K) =>
  documented(z.literal(own), {
    means:
      "What store it is. r2, aws: a bucket at Cloudflare or AWS, which the platform makes; b2: a bucket at Backblaze that is there; s3: a bucket that is there, of AWS or of any " +
      "other store that speaks S3; local: a store that the platform runs beside the cluster, on a volume of its own, which is lost with the Kubernetes cluster.",
    change: moves,
    allowed: kinds.join(", "),
  });

const bucket = documented(z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/), {
  means: "Name of the bucket; not with the kind local. Default: none.",
  change: moves,
  allowed: "the name of a bucket: 3 to 63 lower-case letters, digits, hyphens and dots",
  fix: "correct it",
});

const adopt = boolean(
  "Whether a bucket of the kind r2 or aws is there already: then none is made, nothing of it is changed, and only the access to it is made where " +
    "`credentials` gives none. A bucket of the kind b2 is always there already. Default: false; true with the kind b2.",
  "To true: the platform lets go of the bucket that it made, which stays; where it is protected, allow must name it.",
).default(false);

/** The provider of AWS makes buckets at B2 that it can't read afterwards: see docs/backup.md. */
const adopted = documented(z.literal(true), {
  means: "Always true with the kind b2: the platform makes no bucket there.",
  change: atOnce,
  allowed: "true with the kind b2, whose buckets the platform can't make",
  fix: "make the bucket as docs/backup.md says, and leave it out or set it to true",
}).default(true);

const account = documented(z.string().regex(/^[0-9a-f]{32}$/), {
  means: "Identifier of the Cloudflare account; only with the kind r2. Default: none.",
  change: moves,
  allowed: "the 32 hexadecimal digits that the dashboard shows",
  fix: "copy it from the overview of R2, and write it in quotes",
  numbers: quoted,
});

const regionOf = (form: RegExp, example: string) =>
  documented(z.string().regex(form), {
    means:
      "Region of the bucket; not with the kind r2, whose region is auto, and to be given with the kind b2. Default: us-east-1 with the others.",
    change: moves,
    allowed: `a region such as ${example}`,
    fix: "write it as the store's documentation does",
  });
const region = regionOf(/^[a-z0-9-]{2,32}$/, "eu-central-1");
// With these two it is a part of the store's address: another form would be no host that is there.
export const awsRegionForm = /^[a-z]{2,4}(-[a-z]+)+-\d$/;
const awsRegion = regionOf(awsRegionForm, "eu-central-1");
const b2Region = regionOf(/^[a-z]{2}(-[a-z]+)+-\d{3}$/, "us-west-004");

const endpoint = documented(z.string().regex(new RegExp(`^https://[a-z0-9.-]+(:${port})?$`)), {
  means: "Address of a store other than AWS; only with the kind s3. Default: AWS.",
  change: moves,
  allowed: "an address that begins with https:// and ends with the host or its port",
  fix: "write it without a path; stores without TLS aren't used",
});

/** Stores other than AWS that are described by name; "other" takes the least for granted. */
export const presets = ["other", "minio", "ceph", "wasabi", "oss", "gcs", "mega", "r2", "b2"] as const;
export type Preset = (typeof presets)[number];

const preset = oneOf(
  presets,
  "Which store listens at the endpoint: minio, ceph (RGW), wasabi, oss (Alibaba), gcs (Google's S3 API), mega (MEGA S4), r2 and b2 for endpoints that those kinds " +
    "don't have. It decides how the store is spoken to: path style, parts of uploads, how often it is looked at. Only with the kind s3 and an endpoint. Default: other.",
  restarts,
);

const pathStyle = boolean(
  "Whether the bucket's name is in the path of an address (https://host/bucket) and not in the host's name (https://bucket.host); only with the kind s3 and an endpoint. " +
    "Default: true; false with the preset oss, which refuses path style.",
  restarts,
);

const storePods = z.strictObject({
  namespace: label("Namespace of the store's pods.", 63, atOnce),
  labels: labels("Labels of the store's pods, all of which they carry."),
  port: integer(
    "Port on which the pods themselves listen: the target port of the Service, not its own.",
    1,
    65535,
    atOnce,
  ),
});

const caCertificate = documented(z.string().refine(isCertificates), {
  means:
    "Certificate of the CA that signed the store's own, where no public CA did: a store in your own network. Only with the kind s3 and an endpoint. Default: the public CAs.",
  change:
    "The first one restarts the instances of the engines zalando and standalone; another one in its place takes effect at once and restarts nothing.",
  allowed:
    "one certificate or more in PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, and no private key",
  fix: "give the text of the file with its lines, after `caCertificate: |`",
});

const credentials = z.strictObject({
  accessKeyId: documented(z.string().min(3), {
    means:
      "Identifier of the access key, which may read and write the bucket and nothing else. With the kinds r2 and aws a key is made where neither this nor a role is given.",
    change: atOnce,
    allowed: "a text of at least 3 characters",
    fix: "copy it from the store's provider, and write it in quotes",
    numbers: quoted,
  }),
  secretAccessKey: documented(z.string().min(8), {
    means:
      "The key itself, encrypted in the stack file: pulumi config set --secret --path 'pgplatform:backup.targets[0].credentials.secretAccessKey'.",
    change: atOnce,
    allowed: "a text of at least 8 characters that Pulumi has encrypted",
    fix: "set it with pulumi config set --secret --path",
    numbers: quoted,
    secret: true,
  }),
});

const roleArn = documented(
  z.string().regex(/^arn:aws(-[a-z]+)*:iam::\d{12}:role\/([\w+=,.@-]+\/)*[\w+=,.@-]{1,64}$/),
  {
    means:
      "Role of AWS that the pods take in place of an access key (IRSA), which EKS alone can give them; only with the kinds aws and s3 without an endpoint, on the platform " +
      "cloud, not with the engine zalando, without `credentials`, and one for both targets. With the kind aws the platform lets it do in the bucket what backups take, unless `adopt`. Default: none.",
    change:
      "Pods take it when they start: the instances of the engine cnpg must be restarted for a role that comes or is another one; standalone's restarts by itself.",
    allowed: "the ARN of a role such as arn:aws:iam::123456789012:role/shop-backups",
    fix: "copy it from IAM",
  },
);

const lockDays = integer(
  "For how many days no key can delete or change what was copied to a second target of the kind r2 or aws; at most recoveryWindowDays. The first target " +
    "can't be locked: files of a base backup are written twice. Default: 0, nothing is locked.",
  0,
  3650,
  "For aws it must be given when the bucket is made. A shorter time is for what is copied later. 0 leaves the bucket's lock as it is: remove it at the provider.",
  "days",
).default(0);

const size = quantity(
  "Size of the volume of a local target, in bytes; only with the kind local. Default: 10Gi.",
  "A larger size grows the volume where the class can.",
  "50Gi",
);

/** What a kind can't do without, and how it is called where it is missing. */
const needed = <T extends z.ZodType>(own: TargetKind, field: T, what: string): T =>
  field.meta({ ...field.meta(), missing: `${what} with the kind ${own}` });

/** The words for a setting that belongs to other kinds; `shown` in the place of a value that is secret, or long. */
const words = (own: TargetKind, others: readonly TargetKind[], shown?: string) => ({
  allowed: `must not be set with the kind ${own}`,
  fix: `leave it out, or use the kind ${others.join(" or ")}`,
  foreign: true,
  ...(shown !== undefined && { shown }),
});
const foreign = (...of: Parameters<typeof words>) =>
  z
    .never()
    .optional()
    .meta(words(...of));

const targetName = label("Name of the target, part of the names of its objects.", 20, moves);

/** Kinds that have a setting; the sentences for the others name them. */
const having = {
  bucket: ["r2", "b2", "aws", "s3"],
  account: ["r2"],
  region: ["b2", "aws", "s3", "local"],
  endpoint: ["s3"],
  preset: ["s3"],
  pathStyle: ["s3"],
  pods: ["s3"],
  caCertificate: ["s3"],
  credentials: ["r2", "b2", "aws", "s3"],
  roleArn: ["aws", "s3"],
  adopt: ["r2", "b2", "aws"],
  lockDays: ["r2", "aws"],
  size: ["local"],
} as const satisfies Record<string, readonly TargetKind[]>;

/** Of a kind, all settings that are other kinds'; what says no more than their default may be there. */
const others = (own: TargetKind) => ({
  bucket: foreign(own, having.bucket),
  adopt: z.literal(false).optional().meta(words(own, having.adopt)),
  account: foreign(own, having.account),
  region: foreign(own, having.region),
  endpoint: foreign(own, having.endpoint),
  preset: foreign(own, having.preset),
  pathStyle: foreign(own, having.pathStyle),
  pods: foreign(own, having.pods),
  caCertificate: foreign(own, having.caCertificate, "given"),
  credentials: foreign(own, having.credentials, "given"),
  roleArn: foreign(own, having.roleArn),
  lockDays: z.literal(0).optional().meta(words(own, having.lockDays)),
  size: foreign(own, having.size),
});

const bucketOf = (own: TargetKind) => needed(own, bucket, "the name of a bucket");

export const target = z.discriminatedUnion("kind", [
  z.strictObject({
    name: targetName,
    kind: kind("r2"),
    ...others("r2"),
    bucket: bucketOf("r2"),
    adopt,
    account: needed("r2", account, "the identifier of the Cloudflare account"),
    credentials: credentials.optional(),
    lockDays,
  }),
  z.strictObject({
    name: targetName,
    kind: kind("b2"),
    ...others("b2"),
    bucket: bucketOf("b2"),
    adopt: adopted,
    region: needed("b2", b2Region, "the region of the bucket"),
    credentials: needed("b2", credentials, "an access key"),
  }),
  z.strictObject({
    name: targetName,
    kind: kind("aws"),
    ...others("aws"),
    bucket: bucketOf("aws"),
    adopt,
    region: awsRegion.optional(),
    credentials: credentials.optional(),
    roleArn: roleArn.optional(),
    lockDays,
  }),
  z.strictObject({
    name: targetName,
    kind: kind("s3"),
    ...others("s3"),
    bucket: bucketOf("s3"),
    region: region.optional(),
    endpoint: endpoint.optional(),
    preset: preset.optional(),
    pathStyle: pathStyle.optional(),
    pods: storePods.optional(),
    caCertificate: caCertificate.optional(),
    credentials: credentials.optional(),
    roleArn: roleArn.optional(),
  }),
  z.strictObject({
    name: targetName,
    kind: kind("local"),
    ...others("local"),
    region: region.optional(),
    size: size.optional(),
  }),
]);

export type Target = z.output<typeof target>;
export type TargetOf<K extends TargetKind> = Extract<Target, { kind: K }>;
