import { likeHosts, notReserved } from "./bucketNames";
import { anywhere, defaultRegion, type Dialect, type Speech, type TargetProblem } from "./dialect";

/** A part of AWS with regions, names and accounts of its own. */
interface Partition {
  readonly name: string;
  readonly regions: RegExp;
  /** End of its hosts' names. */
  readonly suffix: string;
}

const partitions: readonly Partition[] = [
  { name: "aws-cn", regions: /^cn-/, suffix: "amazonaws.com.cn" },
  { name: "aws-us-gov", regions: /^us-gov-/, suffix: "amazonaws.com" },
  { name: "aws-eusc", regions: /^eusc-/, suffix: "amazonaws.eu" },
  { name: "aws-iso", regions: /^us-iso-/, suffix: "c2s.ic.gov" },
  { name: "aws-iso-b", regions: /^us-isob-/, suffix: "sc2s.sgov.gov" },
  { name: "aws", regions: /^/, suffix: "amazonaws.com" },
];

export function partitionOf(region: string): Partition {
  const found = partitions.find(({ regions }) => regions.test(region));
  if (found === undefined) throw new Error("every region is in a partition");
  return found;
}

export const speech: Speech = {
  pathStyle: false,
  plainChecksums: false,
  equalParts: false,
  lock: "versions",
  keepsVersions: true,
  listsADay: 25_000,
  rclone: "AWS",
  names: [likeHosts, notReserved],
};

/** AWS S3; Object Lock must be asked for when the bucket is made. */
export const aws: Dialect<"aws"> = {
  key: "made",
  speak: ({ bucket, region = defaultRegion, lockDays, adopt }) => ({
    ...speech,
    bucket,
    region,
    md5: lockDays > 0 || adopt,
    called: "the kind aws",
    ...anywhere(),
  }),
  problems: ({ region, roleArn }) => roleProblems(region, roleArn),
};

/** A role is known in its own partition alone. */
export function roleProblems(
  region: string = defaultRegion,
  roleArn: string | undefined,
): readonly TargetProblem[] {
  const { name } = partitionOf(region);
  const own = roleArn === undefined || roleArn.startsWith(`arn:${name}:`);
  return own
    ? []
    : [
        {
          key: "roleArn",
          value: roleArn,
          allowed: `a role of the partition ${name}, where the region ${region} is (arn:${name}:iam::…)`,
          fix: "name a role of that partition, or correct the region",
        },
      ];
}

/** A bucket, or what is in it, as AWS's policies name it. */
export const arnOf = (region: string, bucket: string, path = ""): string =>
  `arn:${partitionOf(region).name}:s3:::${bucket}${path}`;

/** Where AWS listens. */
export const awsEndpoint = (region: string): string => `https://s3.${region}.${partitionOf(region).suffix}`;
