// X.509 certificates for tests and samples: Node makes keys and signatures but no certificates, and openssl may be absent.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate and its key, both PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/** The signer of other certificates. */
export interface Authority extends Certificate {
  name: string;
  privateKey: KeyObject;
  keyId: Buffer;
}

export interface LeafOptions {
  name: string;
  dns?: string[];
  /** IPv4 addresses. */
  ips?: string[];
  uris?: string[];
}

const YEARS_VALID = 10;
const OID = {
  commonName: "550403",
  ecdsaWithSha256: "2a8648ce3d040302",
  basicConstraints: "551d13",
  keyUsage: "551d0f",
  extendedKeyUsage: "551d25",
  subjectKeyIdentifier: "551d0e",
  authorityKeyIdentifier: "551d23",
  subjectAltName: "551d11",
  serverAuth: "2b06010505070301",
  clientAuth: "2b06010505070302",
};

/** DER: tag, length, value. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const size = value.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const bitString = (bytes: Buffer) => der(0x03, Buffer.from([0]), bytes);
const yes = der(0x01, Buffer.from([0xff]));
const signatureAlgorithm = sequence(oid(OID.ecdsaWithSha256));

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(commonName)))));
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function validity(): Buffer {
  const from = new Date(Date.now() - 3600_000);
  const until = new Date(from);
  until.setFullYear(until.getFullYear() + YEARS_VALID);
  return sequence(time(from), time(until));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [yes] : []), der(0x04, value));
}

function pem(title: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${title}-----`, ...lines, `-----END ${title}-----`, ""].join("\n");
}

/** A signed certificate for a new P-256 key. Without a signer it signs itself. */
function issue(name: string, extensions: Buffer[], signer?: Authority): Authority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const keyId = createHash("sha256").update(spki).digest().subarray(0, 20);
  const signerId = extension(OID.authorityKeyIdentifier, false, sequence(der(0x80, signer?.keyId ?? keyId)));
  const ownId = extension(OID.subjectKeyIdentifier, false, der(0x04, keyId));
  // A leading 1 keeps the serial number positive.
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    signatureAlgorithm,
    distinguishedName(signer?.name ?? name),
    validity(),
    distinguishedName(name),
    spki,
    der(0xa3, sequence(...extensions, ownId, signerId)),
  );
  const signature = sign("sha256", body, signer?.privateKey ?? privateKey);
  const certificate = sequence(body, signatureAlgorithm, bitString(signature));
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { name, cert: pem("CERTIFICATE", certificate), key, privateKey, keyId };
}

/** A certificate authority. */
export function makeAuthority(name: string): Authority {
  const mayCertify = extension(OID.basicConstraints, true, sequence(yes));
  const mayUseKey = extension(OID.keyUsage, true, der(0x03, Buffer.from([1, 0x06])));
  return issue(name, [mayCertify, mayUseKey]);
}

/** A certificate for TLS servers and clients, signed by the authority. */
export function makeLeaf(authority: Authority, options: LeafOptions): Certificate {
  const names = [
    ...(options.uris ?? []).map((uri) => der(0x86, Buffer.from(uri))),
    ...(options.dns ?? []).map((dns) => der(0x82, Buffer.from(dns))),
    ...(options.ips ?? []).map((ip) => der(0x87, Buffer.from(ip.split(".").map(Number)))),
  ];
  const { cert, key } = issue(
    options.name,
    [
      extension(OID.keyUsage, true, der(0x03, Buffer.from([7, 0x80]))),
      extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth), oid(OID.clientAuth))),
      ...(names.length > 0 ? [extension(OID.subjectAltName, false, sequence(...names))] : []),
    ],
    authority,
  );
  return { cert, key };
}
