import { Bytes } from "../../../assembly/bytes/bytes";
import { ByteBuffer, KEEP } from "../../../assembly/bytes/buffer";
import { encodeBase64Url } from "../../../assembly/bytes/base64url";
import { View } from "../../../assembly/bytes/view";
import { JsonScan } from "../../../assembly/config/json_scan";
import { JsonKind } from "../../../assembly/config/value";
import { Headers } from "../../../assembly/message/headers";
import { StreamHandler } from "../../../assembly/stream/handler";
import { Verified } from "./provider";

const scratch = new ByteBuffer();
const view = new View();
const value = new JsonScan();

/** One of `claim_to_headers`. */
export class ClaimHeader {
  /** @param path names of the claim from the outside in */
  constructor(
    readonly header: Bytes,
    private readonly path: Bytes[],
  ) {}

  /** Sets the header where the token has the claim. */
  write(payload: Bytes, headers: Headers): void {
    value.begin(payload.ptr, payload.length);
    for (let i = 0, n = this.path.length; i < n; i++) if (!value.member(unchecked(this.path[i]))) return;
    const kind = value.kind;
    if (kind == JsonKind.STRING) value.text(view);
    else value.raw(view);
    if (kind == JsonKind.ARRAY || kind == JsonKind.OBJECT) {
      scratch.reset(KEEP);
      encodeBase64Url(view.ptr, view.length, false, scratch);
      view.set(scratch.ptr, scratch.length);
    }
    // A line break would begin another header.
    if (isField(view)) headers.set(this.header.ptr, this.header.length, view.ptr, view.length);
  }
}

function isField(text: View): bool {
  for (let i = 0; i < text.length; i++) {
    const c = load<u8>(text.ptr + (i as usize));
    if (c < 0x20 || c == 0x7f) return false;
  }
  return true;
}

/** What the server and later filters are told of a token. */
export class Output {
  /** Whether the server is shown the token, too. */
  forwards: bool = false;
  /** The header with the payload; empty: none. */
  payloadHeader: Bytes = Bytes.EMPTY;
  pads: bool = false;
  /** Variables with the payload and the header as JSON; empty: none. */
  payloadVariable: Bytes = Bytes.EMPTY;
  headerVariable: Bytes = Bytes.EMPTY;
  readonly claims: ClaimHeader[] = [];

  /** Whether it has headers that only this filter may set. */
  get tells(): bool {
    return this.payloadHeader.length > 0 || this.claims.length > 0;
  }

  /** Removes what only this filter may say of a token. */
  sanitize(headers: Headers): void {
    drop(headers, this.payloadHeader);
    for (let i = 0, n = this.claims.length; i < n; i++) drop(headers, unchecked(this.claims[i]).header);
  }

  write(handler: StreamHandler, token: Verified): void {
    const payload = token.payload;
    if (this.payloadVariable.length > 0) handler.setVariable(this.payloadVariable, payload.ptr, payload.length);
    if (this.headerVariable.length > 0) {
      handler.setVariable(this.headerVariable, token.header.ptr, token.header.length);
    }
    const headers = handler.requestHeaders;
    if (headers === null) return;
    for (let i = 0, n = this.claims.length; i < n; i++) unchecked(this.claims[i]).write(payload, headers);
    const name = this.payloadHeader;
    if (name.length == 0) return;
    scratch.reset(KEEP);
    encodeBase64Url(payload.ptr, payload.length, this.pads, scratch);
    headers.set(name.ptr, name.length, scratch.ptr, scratch.length);
  }
}

/** Also one that cannot be read: then the frame cannot be written, and the request is refused. */
function drop(headers: Headers, name: Bytes): void {
  if (name.length > 0) headers.remove(name.ptr, name.length);
}
