import { noteGarbage } from "../abi/dispatch";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { fixedProperty, propertyPath } from "../host/properties";
import { enterContext } from "../host/stream";

/** What a client's TLS connection says of it. */
export const enum Identity {
  /** The first URI of the certificate's subject alternative names: Envoy tells of one only. */
  URI = 0,
  /** The first DNS name of them. */
  DNS = 1,
  /** The certificate's subject, as RFC 2253 spells it. */
  SUBJECT = 2,
  /** The server name that the client asked for; of no certificate. */
  SERVER_NAME = 3,
}

const KINDS: i32 = 4;
const MTLS = propertyPath("connection/mtls");
const PATHS: Bytes[] = [
  propertyPath("connection/uri_san_peer_certificate"),
  propertyPath("connection/dns_san_peer_certificate"),
  propertyPath("connection/subject_peer_certificate"),
  propertyPath("connection/requested_server_name"),
];

/**
 * Who a client is by its certificate: Envoy is asked for each thing once, when somebody wants it (about 600 ns). Whether
 * the certificate is to be trusted is for Envoy's TLS context to check.
 */
export class ClientIdentity {
  private readonly values: (Bytes | null)[] = [null, null, null, null];
  private asked: bool = false;
  private mtls: bool = false;

  /**
   * Whether the client has shown a certificate.
   * @param context the host's id of the connection or stream
   */
  presented(context: u32): bool {
    if (!this.asked) {
      enterContext(context);
      const value = fixedProperty(MTLS);
      noteGarbage(1);
      this.mtls = value.length > 0 && load<u8>(value.ptr) != 0;
      this.asked = true;
    }
    return this.mtls;
  }

  /** Points `out` at something; false where the client has none. Valid as long as this object knows the client. */
  read(what: Identity, context: u32, out: View): bool {
    let value = unchecked(this.values[what]);
    if (value === null) {
      enterContext(context);
      value = fixedProperty(unchecked(PATHS[what]));
      noteGarbage(2);
      unchecked((this.values[what] = value));
    }
    out.set(value.ptr, value.length);
    return value.length > 0;
  }

  /** The next client is another one. */
  forget(): void {
    this.asked = false;
    for (let i = 0; i < KINDS; i++) unchecked((this.values[i] = null));
  }
}
