import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { HeaderVisitor } from "../../../assembly/message/headers";
import { StreamHandler } from "../../../assembly/stream/handler";
import { Reason } from "./reason";

/** Counts the values of a header that begin with a prefix, and keeps the last. */
class Values extends HeaderVisitor {
  prefix: Bytes = Bytes.EMPTY;
  count: i32 = 0;
  readonly value: View = new View();

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    if (!this.prefix.isPrefixOf(value, valueLength)) return true;
    this.count++;
    this.value.set(value, valueLength);
    return true;
  }
}

const values = new Values();

/** A place where tokens may be: a header, or a variable of HTTP for a parameter of the query or a cookie. */
export class Location {
  constructor(
    readonly header: Bytes,
    private readonly prefix: Bytes,
    private readonly variable: Bytes,
  ) {}

  /** Points `out` at the token of a request; or MISSING, or DUPLICATE for a header that is there twice. */
  find(handler: StreamHandler, out: View): Reason {
    if (this.variable.length > 0) {
      return handler.variable(this.variable, out) && out.length > 0 ? Reason.NONE : Reason.MISSING;
    }
    const headers = handler.requestHeaders;
    if (headers === null) return Reason.UNDECIDED;
    values.prefix = this.prefix;
    values.count = 0;
    headers.forEachOf(this.header.ptr, this.header.length, values);
    if (headers.incomplete) return Reason.UNDECIDED;
    if (values.count != 1) return values.count == 0 ? Reason.MISSING : Reason.DUPLICATE;
    const skip = this.prefix.length;
    out.set(values.value.ptr + (skip as usize), values.value.length - skip);
    return Reason.NONE;
  }

  /** Takes the token out of the request, where it is in a header. */
  remove(handler: StreamHandler): void {
    const headers = handler.requestHeaders;
    if (headers === null || this.header.length == 0) return;
    values.prefix = this.prefix;
    values.count = 0;
    headers.forEachOf(this.header.ptr, this.header.length, values);
    if (values.count > 0) headers.remove(this.header.ptr, this.header.length);
  }
}
