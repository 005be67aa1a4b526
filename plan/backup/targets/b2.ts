import { atLeastSix, notB2, withoutDots } from "./bucketNames";
import { anywhere, type Dialect, type Speech } from "./dialect";

/** 2,500 requests of that class are free each day; the rest is for the copy and for people. */
const LISTS_A_DAY = 2_000;

export const speech: Speech = {
  pathStyle: true,
  plainChecksums: true,
  equalParts: false,
  lock: "versions",
  keepsVersions: true,
  listsADay: LISTS_A_DAY,
  rclone: "Other",
  names: [withoutDots, atLeastSix, notB2],
};

/** A bucket at Backblaze B2 that is there, by its S3 API, which makes no keys. */
export const b2: Dialect<"b2"> = {
  key: "given",
  speak: ({ bucket, region }) => ({
    ...speech,
    bucket,
    region,
    endpoint: `https://s3.${region}.backblazeb2.com`,
    md5: true,
    called: "the kind b2",
    ...anywhere(),
  }),
  problems: ({ credentials: { accessKeyId } }) =>
    /^[0-9a-f]{12}$/.test(accessKeyId)
      ? [
          {
            key: "credentials.accessKeyId",
            value: accessKeyId,
            allowed:
              "an application key: this is the account's master key, which may do everything in every bucket",
            fix: "make an application key for this bucket alone",
          },
        ]
      : [],
};
