import type { HeaderMap } from "./header-map.ts";

/** The properties of one stream that change while it lives (Envoy's CEL attributes). */
export class StreamProperties {
  bytesReceived = 0;
  bytesSent = 0;
  flags = 0;
  /** `response.code_details`. */
  details = "";
  /** Once a server has the request. */
  upstreamAddress: string | null = null;

  /** @param startNs when the request came, nanoseconds since 1970 */
  constructor(
    private readonly protocol: string,
    private readonly startNs: bigint,
  ) {}

  /**
   * Null: there is none now; undefined: none of these. `request` is null while the filter has no request headers: then
   * Envoy knows nothing of them.
   */
  get(path: string, request: HeaderMap | null, response: HeaderMap | null): Buffer | null | undefined {
    if (path.startsWith("request/")) return this.ofRequest(path.slice(8), request);
    if (path.startsWith("response/")) return this.ofResponse(path.slice(9), response);
    if (path !== "upstream/address") return undefined;
    return this.upstreamAddress === null ? null : Buffer.from(this.upstreamAddress);
  }

  private ofRequest(name: string, headers: HeaderMap | null): Buffer | null {
    if (name === "protocol") return text(this.protocol);
    if (name === "time") return encode(this.startNs);
    if (name === "total_size") return encode(this.bytesReceived + (headers?.byteSize ?? 0));
    if (headers === null) return name === "size" ? encode(this.bytesReceived) : null;
    if (name.startsWith("headers/")) return text(headers.get(name.slice(8)));
    const announced = headers.get("content-length");
    const known: Record<string, string | number | null> = {
      path: headers.get(":path"),
      url_path: headers.get(":path")?.split("?")[0] ?? null,
      host: headers.get(":authority"),
      scheme: headers.get(":scheme"),
      method: headers.get(":method"),
      size: announced === null ? this.bytesReceived : Number(announced),
    };
    return encode(known[name]);
  }

  private ofResponse(name: string, headers: HeaderMap | null): Buffer | null {
    if (name === "flags") return encode(this.flags);
    if (name === "code_details") return text(this.details === "" ? null : this.details);
    if (headers === null) return null;
    if (name.startsWith("headers/")) return text(headers.get(name.slice(8)));
    const known: Record<string, number> = {
      code: Number(headers.get(":status")),
      size: this.bytesSent,
      total_size: this.bytesSent + headers.byteSize,
    };
    return encode(known[name]);
  }
}

function text(value: string | null): Buffer | null {
  return value === null ? null : Buffer.from(value);
}

function encode(value: string | number | bigint | null | undefined): Buffer | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return Buffer.from(value);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}
