import { storeName } from "../storeNames";
import { anywhere, defaultRegion, type Dialect } from "./dialect";

/** A bucket that is there: at AWS, or in any store that speaks S3, of which the least is taken for granted. */
export const s3: Dialect<"s3"> = {
  key: "given",
  speak: ({ name, bucket, endpoint, region = defaultRegion, caCertificate }, cluster) => {
    const elsewhere = endpoint !== undefined;
    return {
      bucket,
      region,
      ...(elsewhere && { endpoint }),
      plainChecksums: elsewhere,
      pathStyle: elsewhere,
      // Not the name of the key's Secret: a target whose kind changes gets the new Secret before it loses the old one.
      ...(caCertificate !== undefined && {
        ca: { secretName: `${storeName(cluster.name, name)}-ca`, key: "ca.crt" },
      }),
      ...anywhere(endpoint),
    };
  },
};
