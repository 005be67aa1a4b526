import { withoutDots } from "./bucketNames";
import { anywhere, type Dialect, type Speech } from "./dialect";

/** A million requests of that class are free each month. */
const LISTS_A_DAY = 20_000;

export const speech: Speech = {
  pathStyle: true,
  plainChecksums: true,
  equalParts: true,
  lock: "overwriting",
  keepsVersions: false,
  listsADay: LISTS_A_DAY,
  rclone: "Cloudflare",
  names: [withoutDots],
};

/** Cloudflare R2: one region, no encryption by request, locks by prefix and age that can come and go at any time. */
export const r2: Dialect<"r2"> = {
  key: "made",
  speak: ({ bucket, account }) => ({
    ...speech,
    bucket,
    region: "auto",
    endpoint: `https://${account}.r2.cloudflarestorage.com`,
    md5: false,
    called: "the kind r2",
    ...anywhere(),
  }),
};
