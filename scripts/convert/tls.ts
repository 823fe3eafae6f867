// MOSN's tls_context as Envoy's transport sockets.
import { isIP } from "node:net";
import type { Fields, Json } from "./fields.ts";

const TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";
const SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt";

const VERSIONS: Record<string, string> = {
  tls_auto: "TLS_AUTO",
  tlsv1_0: "TLSv1_0",
  tlsv1_1: "TLSv1_1",
  tlsv1_2: "TLSv1_2",
  tlsv1_3: "TLSv1_3",
};
const CURVES: Record<string, string> = { x25519: "X25519", p256: "P-256", p384: "P-384", p521: "P-521" };

interface Common {
  [field: string]: unknown;
}

/** A TLS context: the socket, and whether plain text is taken beside it. */
export interface Tls {
  socket: object;
  fallback: boolean;
}

/** What a file name or PEM text is to Envoy. */
function source(value: string): object {
  return value.trimStart().startsWith("-----BEGIN") ? { inline_string: value } : { filename: value };
}

/** Whether a context is switched on. A context without certificates (`type`, SDS) still is. */
export function wantsTls(context: Fields | undefined): context is Fields {
  return context !== undefined && context.flag("status");
}

/** Reads every field of a context that is off, so that none is reported. */
export function skipTls(context: Fields | undefined): void {
  context?.all();
}

function parameters(context: Fields): object | undefined {
  const out: Common = {};
  for (const [name, field] of [
    ["min_version", "tls_minimum_protocol_version"],
    ["max_version", "tls_maximum_protocol_version"],
  ]) {
    const text = context.text(name);
    const version = text ? VERSIONS[text.toLowerCase()] : undefined;
    if (text && !version) context.report.mistake(context.at(name), `expected one of TLSv1_0 to TLSv1_3, got "${text}"`);
    if (version && version !== "TLS_AUTO") out[field] = version;
  }
  const ciphers = context.text("cipher_suites");
  // Envoy's BoringSSL knows no CBC-SHA256 suites and spells RSA's as OpenSSL does: MOSN's spelling, too.
  if (ciphers) out.cipher_suites = ciphers.split(":").filter((name) => name !== "");
  const curves = context.text("ecdh_curves");
  if (curves) {
    const known = curves.split(",").map((name) => CURVES[name.trim().toLowerCase()]);
    if (known.includes(undefined as unknown as string)) {
      context.report.mistake(context.at("ecdh_curves"), `expected x25519, P256, P384, P521, got "${curves}"`);
    } else out.ecdh_curves = known;
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

/** Where a private key of MOSN's loader comes from is a Go extension's secret; so is a verification by Go code. */
function extensions(context: Fields): void {
  const why = "It is Go code of that MOSN build; Envoy has its own ways.";
  context.lost(why, "Have the certificate in a file, or let an SDS server give it to Envoy.", "type");
  context.lost(why, "Say what has to be checked by Envoy's validation context.", "extend_verify");
  context.lost(why, undefined, "callbacks");
  context.note("Envoy makes and rotates its own session tickets.", "ticket");
}

function certificates(context: Fields, common: Common): boolean {
  const chain = context.text("cert_chain");
  const key = context.text("private_key");
  if (chain && key) common.tls_certificates = [{ certificate_chain: source(chain), private_key: source(key) }];
  else if (chain || key) {
    context.report.mistake(context.path, "cert_chain and private_key must be given together");
  }
  return common.tls_certificates !== undefined || sds(context, common);
}

/** Certificates from an SDS server; false where there is no server that Envoy could ask. */
function sds(context: Fields, common: Common): boolean {
  const source = context.child("sds_source");
  if (!source) return false;
  const [certificate, validation] = ["CertificateConfig", "ValidationConfig"].map((name) => {
    const config = source.child(name);
    const server = googleGrpc(config?.raw("sdsConfig"));
    return config && server ? { name: config.text("name") ?? "default", sds_config: server } : undefined;
  });
  if (certificate) common.tls_certificate_sds_secret_configs = [certificate];
  if (validation) common.validation_context_sds_secret_config = validation;
  return certificate !== undefined;
}

/** The SDS server of a configuration that names it by address, which Envoy reaches without a cluster. */
function googleGrpc(config: Json | undefined): object | undefined {
  const text = JSON.stringify(config ?? null);
  const target_uri = /"target_?uri":"([^"]+)"/i.exec(text)?.[1];
  if (target_uri === undefined) return undefined;
  return {
    resource_api_version: "V3",
    api_config_source: {
      api_type: "GRPC",
      transport_api_version: "V3",
      grpc_services: [{ google_grpc: { target_uri, stat_prefix: "sds" } }],
    },
  };
}

function commonOf(context: Fields): Common {
  const common: Common = {};
  const params = parameters(context);
  if (params) common.tls_params = params;
  const alpn = context.text("alpn");
  if (alpn) common.alpn_protocols = alpn.split(",").map((name) => name.trim());
  return common;
}

/** A listener's context; undefined where it cannot be had, and the listener must not serve without. */
export function serverTls(context: Fields): Tls | undefined {
  const common = commonOf(context);
  extensions(context);
  const fallback = context.flag("fall_back");
  const has = certificates(context, common);
  const ca = context.text("ca_cert");
  const verify = context.flag("verify_client");
  const require = context.flag("require_client_cert");
  const out: Common = { "@type": `${TYPE}.DownstreamTlsContext`, common_tls_context: common };
  // As in MOSN: without verify_client a certificate is at most asked for, and never checked.
  if (verify) {
    if (ca || !common.validation_context_sds_secret_config) {
      delete common.validation_context_sds_secret_config;
      common.validation_context = { trusted_ca: source(ca ?? SYSTEM_ROOTS) };
    }
    out.require_client_certificate = require;
  } else if (require) {
    context.report.note(context.at("require_client_cert"), "true", "Without verify_client MOSN asks, and takes any.");
  }
  context.note("Clients choose by the name in the certificate, and so does Envoy.", "server_name", "insecure_skip");
  context.done();
  if (!has) {
    context.report.lost(
      context.path,
      "TLS without a certificate in the file",
      "Envoy has no certificate to show.",
      "The listener is left out. Give cert_chain and private_key, or an SDS server by its target_uri.",
    );
    return undefined;
  }
  return { socket: { name: "envoy.transport_sockets.tls", typed_config: out }, fallback };
}

/** A cluster's context. */
export function clientTls(context: Fields): Tls {
  const common = commonOf(context);
  extensions(context);
  certificates(context, common);
  const ca = context.text("ca_cert");
  const name = context.text("server_name");
  const out: Common = { "@type": `${TYPE}.UpstreamTlsContext`, common_tls_context: common };
  if (name && !isIP(name)) out.sni = name;
  if (context.flag("insecure_skip")) {
    context.report.note(context.at("insecure_skip"), "true", "The server's certificate is not checked, as in MOSN.");
  } else {
    const validation: Common = { trusted_ca: source(ca ?? SYSTEM_ROOTS) };
    if (name) {
      const type = isIP(name) ? "IP_ADDRESS" : "DNS";
      validation.match_typed_subject_alt_names = [{ san_type: type, matcher: { exact: name } }];
    }
    common.validation_context = validation;
    if (!ca) {
      context.report.changed(
        context.path,
        "servers are checked by the system's authorities",
        "Envoy takes them from a file.",
        `Change ${SYSTEM_ROOTS} where the system has another one.`,
        validation,
      );
    }
  }
  context.note("That is for listeners.", "verify_client", "require_client_cert");
  if (context.flag("fall_back")) {
    context.report.changed(
      context.at("fall_back"),
      "true",
      "Envoy does not fall back to plain text.",
      "Fix the certificates instead.",
    );
  }
  context.done();
  return { socket: { name: "envoy.transport_sockets.tls", typed_config: out }, fallback: false };
}
