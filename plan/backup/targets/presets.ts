import type { Preset } from "../../../settings/schema/targets";
import { speech as b2 } from "./b2";
import { likeHosts, notGoogles, withoutDots } from "./bucketNames";
import type { Speech } from "./dialect";
import { speech as r2 } from "./r2";

/** A store that nothing is known of: the least that all of them take. */
const other: Speech = {
  pathStyle: true,
  plainChecksums: true,
  equalParts: false,
  lock: "versions",
  keepsVersions: true,
  rclone: "Other",
  names: [likeHosts],
};

/** Stores of the kind s3 that aren't AWS, by what `preset` calls them. */
export const presets: Readonly<Record<Preset, Speech>> = {
  other,
  minio: { ...other, rclone: "Minio" },
  ceph: { ...other, rclone: "Ceph" },
  // No charge by request.
  wasabi: { ...other, rclone: "Wasabi" },
  oss: { ...other, pathStyle: false, rclone: "Alibaba", names: [withoutDots], listsADay: 20_000 },
  // Its S3 API knows no Object Lock.
  gcs: { ...other, lock: "none", rclone: "GCS", names: [likeHosts, notGoogles], listsADay: 20_000 },
  mega: { ...other, equalParts: true, rclone: "Mega" },
  r2,
  b2,
};
