import { ByteBuffer, KEEP_SMALL } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { appendProperty, propertyPath } from "../host/properties";
import { ClientIdentity } from "../stream/identity";

const HTTP1 = Bytes.of("Http1");
const HTTP2 = Bytes.of("Http2");
/** Bytes of "HTTP/" and the version's first digit. */
const PROTOCOL_LENGTH: i32 = 6;

/** A property of Envoy's, asked for once in a stream's life and kept. */
export class Property {
  private readonly path: Bytes;
  private readonly value: ByteBuffer = new ByteBuffer();
  private known: bool = false;

  /** @param path with slashes ("source/address") */
  constructor(path: string) {
    this.path = propertyPath(path);
  }

  /** Points `out` at the property; false while there is none. */
  read(out: View): bool {
    if (!this.known) this.known = appendProperty(this.path, this.value);
    out.set(this.value.ptr, this.value.length);
    return this.known;
  }

  /** The property as an integer of 8 bytes; 0 while there is none. */
  integer(): i64 {
    if (!this.known) this.known = appendProperty(this.path, this.value);
    return this.value.length == 8 ? load<i64>(this.value.ptr) : 0;
  }

  forget(): void {
    this.known = false;
    this.value.reset(KEEP_SMALL);
  }

  /** Gives the memory back. */
  free(): void {
    this.known = false;
    this.value.free();
  }
}

/** What filters ask of a stream that does not change; each is a host call once, and only where somebody asks. */
export class StreamProperties {
  readonly route: Property = new Property("xds/route_name");
  readonly cluster: Property = new Property("xds/cluster_name");
  readonly host: Property = new Property("upstream/address");
  /** The client's address. */
  readonly source: Property = new Property("source/address");
  /** The address that the client connected to. */
  readonly local: Property = new Property("destination/address");
  /** When the request came. */
  readonly start: Property = new Property("request/time");
  /** Who the client is by its certificate. */
  readonly identity: ClientIdentity = new ClientIdentity();
  private readonly version: Property = new Property("request/protocol");
  private readonly all: Property[] = [
    this.route,
    this.cluster,
    this.host,
    this.source,
    this.local,
    this.start,
    this.version,
  ];

  /** MOSN's name of the client's protocol: "Http1" or "Http2". */
  protocol(out: View): bool {
    if (!this.version.read(out) || out.length < PROTOCOL_LENGTH) return false;
    const name = load<u8>(out.ptr + PROTOCOL_LENGTH - 1) == 0x31 ? HTTP1 : HTTP2;
    out.set(name.ptr, name.length);
    return true;
  }

  forget(): void {
    for (let i = 0; i < this.all.length; i++) unchecked(this.all[i]).forget();
    this.identity.forget();
  }

  /** Gives all memory back. */
  free(): void {
    for (let i = 0; i < this.all.length; i++) unchecked(this.all[i]).free();
  }
}
