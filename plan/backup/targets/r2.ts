import { anywhere, type Dialect } from "./dialect";

/** Cloudflare R2: one region, no encryption by request, locks by prefix and age that can come and go at any time. */
export const r2: Dialect<"r2"> = {
  key: "made",
  speak: ({ bucket, account }) => ({
    bucket,
    region: "auto",
    endpoint: `https://${account}.r2.cloudflarestorage.com`,
    plainChecksums: true,
    pathStyle: true,
    ...anywhere(),
  }),
};
