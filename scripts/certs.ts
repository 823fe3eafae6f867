// Certificates for envoy/tls.yaml and the tests: an authority, a server and a client of localhost, below build/certs.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { PACKAGE } from "./lib/package.ts";
import { type Certificate, makeAuthority, makeLeaf } from "./lib/x509.ts";

const FOLDER = join(PACKAGE, "build/certs");

export interface Certificates {
  /** PEM of the authority that signed the others. */
  ca: string;
  server: Certificate;
  client: Certificate;
}

/** The certificates of the folder; makes them if they are not there, or anew with `force`. */
export function ensureCertificates(folder = FOLDER, force = false): Certificates {
  if (force || !existsSync(join(folder, "client.key"))) write(folder);
  const read = (file: string) => readFileSync(join(folder, file), "utf8");
  return {
    ca: read("ca.pem"),
    server: { cert: read("server.pem"), key: read("server.key") },
    client: { cert: read("client.pem"), key: read("client.key") },
  };
}

function write(folder: string): void {
  const authority = makeAuthority("moe-wasm test authority");
  const names = { dns: ["localhost"], ips: ["127.0.0.1"] };
  const server = makeLeaf(authority, { name: "localhost", ...names });
  const client = makeLeaf(authority, { name: "moe-wasm client" });
  mkdirSync(folder, { recursive: true });
  const save = (file: string, text: string, mode = 0o644) => writeFileSync(join(folder, file), text, { mode });
  save("ca.pem", authority.cert);
  save("server.pem", server.cert);
  save("server.key", server.key, 0o600);
  save("client.pem", client.cert);
  save("client.key", client.key, 0o600);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { folder, force } = new Command("certs")
    .description("Makes the certificates of envoy/tls.yaml: for tests, not for production.")
    .option("--folder <folder>", "where to", FOLDER)
    .option("--force", "replace those that are there", false)
    .parse()
    .opts<{ folder: string; force: boolean }>();
  ensureCertificates(folder, force);
  console.log(`Certificates are in ${folder}`);
}
