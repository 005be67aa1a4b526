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
);

const blocks = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];
const DAY_SECONDS = 86_400;

/** The bucket that a resource is or belongs to. */
const nameIn = ({ props }: CloudResource): string =>
  text(props.bucketName) || text(props.bucket) || text(props.name);

function openBy(bucket: CloudResource, others: readonly CloudResource[]): string | undefined {
  const acl = [bucket, ...others.filter(isAcl)]
    .map(({ props }) => text(props.acl))
    .find((one) => /^public/.test(one));
  if (acl !== undefined) return `the ACL ${acl}`;
  if (others.some((one) => isDomain(one) && one.props.enabled === true)) return "a public domain";
  const isAws = bucket.type.startsWith("aws:") && bucket.endpoint === undefined;
  const closed = others.some((one) => isBlock(one) && blocks.every((key) => one.props[key] === true));
  return isAws && !closed ? "no public access block that has all four of its parts" : undefined;
}

const locksIn = ({ type, props }: CloudResource): BucketFacts["locks"] =>
  type.startsWith("aws:")
    ? [at(at(props, "rule"), "defaultRetention")].flatMap((retention) =>
        retention === undefined
          ? []
          : [
              {
                prefix: "",
                days: Number(at(retention, "days") ?? 365 * Number(at(retention, "years") ?? 0)),
              },
            ],
      )
    : list(props.rules)
        .filter(({ enabled }) => enabled === true)
        .map(({ prefix, condition }) => {
          const seconds = at(condition, "maxAgeSeconds");
          return {
            prefix: text(prefix),
            days: seconds === undefined ? undefined : Number(seconds) / DAY_SECONDS,
          };
        });

/** The buckets among a stack's resources, with what is registered for each. */
export function bucketFacts(resources: readonly CloudResource[]): BucketFacts[] {
  return resources.filter(isBucket).map((bucket) => {
    const name = nameIn(bucket);
    const provider = bucket.type.split(":")[0];
    const others = resources.filter(
      (one) =>
        !isBucket(one) &&
        one.type.split(":")[0] === provider &&
        one.endpoint === bucket.endpoint &&
        nameIn(one) === name,
    );
    return {
      resource: bucket.name,
      bucket: name,
      protected: bucket.protect,
      open: openBy(bucket, others),
      locks: others.filter(isLock).flatMap(locksIn),
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
  const endpoint = endpointIn(provider());
  return { type, name, protect, props: props(), ...(endpoint !== undefined && { endpoint }) };
}
