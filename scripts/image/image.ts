// The OCI image of the module, in the shape that Istio calls "compat": one layer, which holds plugin.wasm.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Descriptor, digestOf, gzipStored, tar } from "./layers.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
/** Istio's loader looks for this name (pkg/wasm/imagefetcher.go). */
const FILE = "plugin.wasm";

export interface Image {
  /** The manifest's bytes, and what names it. */
  manifest: Buffer;
  descriptor: Descriptor;
  /** All other blobs, by digest. */
  blobs: Map<string, Buffer>;
  /** SHA-256 of the module itself, hex. */
  wasmSha256: string;
}

/** Makes the image of a module; `labels` are in its configuration and its manifest. */
export function makeImage(wasm: Uint8Array, labels: Record<string, string>): Image {
  const blobs = new Map<string, Buffer>();
  const add = (mediaType: string, data: Buffer): Descriptor => {
    const digest = digestOf(data);
    blobs.set(digest, data);
    return { mediaType, digest, size: data.length };
  };
  const archive = tar(FILE, wasm);
  const layer = add(LAYER, gzipStored(archive));
  const config = {
    architecture: "wasm",
    os: "wasi",
    config: { Labels: labels },
    rootfs: { type: "layers", diff_ids: [digestOf(archive)] },
  };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: add(CONFIG, Buffer.from(JSON.stringify(config))),
      layers: [layer],
      annotations: labels,
    }),
  );
  const descriptor = { mediaType: MANIFEST, digest: digestOf(manifest), size: manifest.length };
  return { manifest, descriptor, blobs, wasmSha256: digestOf(wasm).slice("sha256:".length) };
}

/** Writes the image as an OCI image layout, which skopeo, buildah and others read. */
export function writeLayout(image: Image, folder: string, tag: string): void {
  const blobs = join(folder, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const write = (digest: string, data: Buffer) => writeFileSync(join(blobs, digest.slice("sha256:".length)), data);
  for (const [digest, data] of image.blobs) write(digest, data);
  write(image.descriptor.digest, image.manifest);
  const annotations = { "org.opencontainers.image.ref.name": tag };
  const index = { schemaVersion: 2, manifests: [{ ...image.descriptor, annotations }] };
  writeFileSync(join(folder, "index.json"), JSON.stringify(index));
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}
