import { found, joined } from "../plan/lists";
import { allOf, anyOf, flatMapped, mapped, NotKnown, those, throwing } from "./notKnown";

/** The one reader of buckets, whichever cloud they are in. Only those count that backups of the stack go to. */

/** A resource of any provider, as Pulumi registers it. */
export interface CloudResource {
  readonly type: string;
  readonly name: string;
  readonly props: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
  /** Where its provider looks for S3. @default - at AWS */
  readonly endpoint?: string;
}

/** Read lazily, as the facts of clusters. */
export interface BucketFacts {
  /** The resource's name. */
  readonly resource: string;
  readonly bucket: string;
  readonly protected: boolean;
  /** Why others may get in. @default - only the platform does */
  readonly open: string | undefined;
  /** What is locked in it: from where on, and for how many days; for ever without a number. */
  readonly locks: readonly { readonly prefix: string; readonly days: number | undefined }[];
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const list = (value: unknown): Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? (value as Readonly<Record<string, unknown>>[]) : [];
const at = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;

const isOneOf = (...types: readonly string[]) => {
  const known = new Set(types);
  return ({ type }: CloudResource): boolean => known.has(type);
};
const isBucket = isOneOf(
  "aws:s3/bucket:Bucket",
  "aws:s3/bucketV2:BucketV2",
  "cloudflare:index/r2Bucket:R2Bucket",
);
const isBlock = isOneOf("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock");
const isAcl = isOneOf("aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2");
const isDomain = isOneOf(
  "cloudflare:index/r2ManagedDomain:R2ManagedDomain",
  "cloudflare:index/r2CustomDomain:R2CustomDomain",
);
const isLock = isOneOf(
  "cloudflare:index/r2BucketLock:R2BucketLock",
  "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
  "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",
);

const blocks = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];
const DAY_SECONDS = 86_400;

/** The bucket that a resource is or belongs to. */
const nameIn = ({ props }: CloudResource): string =>
  text(props.bucketName) || text(props.bucket) || text(props.name);

/** The resources of a kind that are about a bucket; one whose bucket isn't known may be. */
type Own = (is: (resource: CloudResource) => boolean) => CloudResource[];

/** The first reason for which others may get in; one that can't be read hides no other. */
const openBy = (bucket: CloudResource, own: Own): string | undefined =>
  found<() => string | undefined, string>(
    [
      () =>
        found(joined([bucket], own(isAcl)), ({ props }) => {
          const acl = text(props.acl);
          return acl.startsWith("public") ? `the ACL ${acl}` : undefined;
        }),
      () => (anyOf(own(isDomain), ({ props }) => props.enabled === true) ? "a public domain" : undefined),
      () =>
        allOf(
          () => bucket.type.startsWith("aws:"),
          () => bucket.endpoint === undefined,
          () => !anyOf(own(isBlock), ({ props }) => blocks.every((key) => props[key] === true)),
        )
          ? "no public access block that has all four of its parts"
          : undefined,
    ],
    (reason) => reason(),
  );

/** A field, or each of a list under its plural, which older types of the same resource have. */
const oneOrMore = (record: unknown, name: string): readonly unknown[] => {
  const one = at(record, name);
  return one === undefined ? list(at(record, `${name}s`)) : [one];
};

/** Locks by which AWS holds whatever is written, as a bucket itself or a resource beside it has them. */
const awsLocks = (configuration: unknown): BucketFacts["locks"] =>
  oneOrMore(configuration, "rule")
    .flatMap((rule) => oneOrMore(rule, "defaultRetention"))
    .map((retention) => ({
      prefix: "",
      days: Number(at(retention, "days") ?? 365 * Number(at(retention, "years") ?? 0)),
    }));

const locksIn = ({ type, props }: CloudResource): BucketFacts["locks"] =>
  type.startsWith("aws:")
    ? awsLocks(props)
    : mapped(
        those(list(props.rules), ({ enabled }) => enabled === true),
        ({ prefix, condition }) => {
          const seconds = at(condition, "maxAgeSeconds");
          return {
            prefix: text(prefix),
            days: seconds === undefined ? undefined : Number(seconds) / DAY_SECONDS,
          };
        },
      );

/** The buckets among a stack's resources, with what is registered for each. */
export function bucketFacts(resources: readonly CloudResource[]): BucketFacts[] {
  return resources.filter(isBucket).map((bucket) => {
    const [provider] = bucket.type.split(":");
    const own: Own = (is) =>
      those(
        resources.filter((one) => is(one) && one.type.split(":")[0] === provider),
        (one) =>
          allOf(
            () => one.endpoint === bucket.endpoint,
            () => nameIn(one) === nameIn(bucket),
          ),
      );
    return {
      resource: bucket.name,
      get bucket() {
        return nameIn(bucket);
      },
      protected: bucket.protect,
      get open() {
        return openBy(bucket, own);
      },
      get locks() {
        return joined(
          oneOrMore(bucket.props, "objectLockConfiguration").flatMap(awsLocks),
          flatMapped(own(isLock), locksIn),
        );
      },
    };
  });
}

const clouds = /^(aws:s3\/bucket|cloudflare:index\/r2)/;

/** The endpoint for S3 that a provider was given; the SDK hands it on as JSON. */
function endpointIn(provider: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const given = provider?.endpoints;
  const endpoints: unknown = typeof given === "string" ? JSON.parse(given) : given;
  const [first] = list(endpoints).flatMap(({ s3 }) => (typeof s3 === "string" ? [s3] : []));
  return first;
}

/** A registered resource as far as it may be about a bucket; undefined for all others. */
export function cloudResource(
  { type, name, protect }: { type: string; name: string; protect: boolean },
  props: () => Readonly<Record<string, unknown>>,
  provider: () => Readonly<Record<string, unknown>> | undefined,
): CloudResource | undefined {
  if (!clouds.test(type)) return undefined;
  const resource = { type, name, protect, props: props() };
  try {
    const endpoint = endpointIn(provider());
    return { ...resource, ...(endpoint !== undefined && { endpoint }) };
  } catch (error) {
    if (!(error instanceof NotKnown)) throw error;
    throwing(resource, "endpoint", error);
    return resource;
  }
}
