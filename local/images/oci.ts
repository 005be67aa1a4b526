import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "../../shell/process";

/** What a container gets when its pod says nothing else: the `config` object of the OCI image specification. */
export interface ImageConfig {
  User?: string;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  WorkingDir?: string;
  ExposedPorts?: Record<string, object>;
  Labels?: Record<string, string>;
}

export interface ImageSource {
  /** Name and tag, as pods write it. */
  reference: string;
  /** The root file system as an uncompressed tar. */
  layer: string;
  config: ImageConfig;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

/** The name that Go and OCI give to a Node architecture. */
export function imageArchitecture(node: string = process.arch): string {
  return node === "x64" ? "amd64" : node;
}

/** Hex SHA-256 of a file, read as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Arguments that make GNU tar's output depend on the files alone, not on who packed them and when. */
export const reproducibleTar = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"];

/** What an image is called, as containerd reads it out of an index. */
const naming = (reference: string): Record<string, string> => ({
  "io.containerd.image.name": reference,
  "org.opencontainers.image.ref.name": reference.slice(reference.lastIndexOf(":") + 1),
});

/** Writes a copy of an image's tar in which the image has another name; its content, and its digest, stay. */
export async function retag(tar: string, reference: string, copy: string): Promise<void> {
  const scratch = `${copy}.unpacked`;
  await mkdir(scratch);
  await run("tar", ["-C", scratch, "-xf", tar]);
  const file = join(scratch, "index.json");
  const index = JSON.parse(await readFile(file, "utf8")) as { manifests: Descriptor[] };
  for (const manifest of index.manifests) manifest.annotations = naming(reference);
  await writeFile(file, JSON.stringify(index));
  await run("tar", [...reproducibleTar, "-C", scratch, "-cf", copy, "oci-layout", "index.json", "blobs"]);
  await rm(scratch, { recursive: true });
}

/**
 * Writes an OCI image layout with one image of one layer as a tar; `scratch` is an empty folder on the layer's file
 * system, which is removed. The image carries no date, so equal sources give equal digests.
 */
export async function writeOciImage(source: ImageSource, tar: string, scratch: string): Promise<void> {
  const blobs = join(scratch, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const layerDigest = await sha256OfFile(source.layer);
  await link(source.layer, join(blobs, layerDigest));
  const layer: Descriptor = {
    mediaType: "application/vnd.oci.image.layer.v1.tar",
    digest: `sha256:${layerDigest}`,
    size: (await stat(source.layer)).size,
  };
  const addJson = async (mediaType: string, content: object): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(content));
    const digest = createHash("sha256").update(bytes).digest("hex");
    await writeFile(join(blobs, digest), bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const config = await addJson("application/vnd.oci.image.config.v1+json", {
    architecture: imageArchitecture(),
    os: "linux",
    config: source.config,
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  });
  const manifestType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = await addJson(manifestType, {
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers: [layer],
  });
  manifest.annotations = naming(source.reference);
  await writeFile(join(scratch, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(
    join(scratch, "index.json"),
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [manifest],
    }),
  );
  await run("tar", [...reproducibleTar, "-C", scratch, "-cf", tar, "oci-layout", "index.json", "blobs"]);
  await rm(scratch, { recursive: true });
}
