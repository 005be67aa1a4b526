import { anywhere, type Dialect } from "./dialect";

/** Backblaze B2 by its S3 API, which makes no keys; Object Lock must be asked for when the bucket is made. */
export const b2: Dialect<"b2"> = {
  key: "given",
  speak: ({ bucket, region }) => ({
    bucket,
    region,
    endpoint: `https://s3.${region}.backblazeb2.com`,
    plainChecksums: true,
    pathStyle: true,
    ...anywhere(),
  }),
};
