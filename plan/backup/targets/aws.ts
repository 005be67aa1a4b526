import { anywhere, defaultRegion, type Dialect } from "./dialect";

/** AWS S3, in the partition `aws`; Object Lock must be asked for when the bucket is made. */
export const aws: Dialect<"aws"> = {
  key: "made",
  speak: ({ bucket, region = defaultRegion }) => ({
    bucket,
    region,
    plainChecksums: false,
    pathStyle: false,
    ...anywhere(),
  }),
};

/** A bucket, or what is in it, as AWS's policies name it. */
export const arnOf = (bucket: string, path = ""): string => `arn:aws:s3:::${bucket}${path}`;
