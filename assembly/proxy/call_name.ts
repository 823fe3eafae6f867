import { ByteBuffer, KEEP_SMALL } from "../bytes/buffer";
import { View } from "../bytes/view";
import { Frame } from "../xprotocol/frame";

const view = new View();

/** Service and method of a request, kept for what sees only its response. */
export class CallName {
  private readonly text: ByteBuffer = new ByteBuffer();
  private serviceLength: i32 = 0;
  /** Whether the call is a generic one. */
  generic: bool = false;

  /** Copies them from the request's frame. */
  keep(frame: Frame): void {
    this.clear();
    frame.service(view);
    this.text.append(view.ptr, view.length);
    this.serviceLength = view.length;
    this.generic = frame.generic;
    frame.method(view);
    this.text.append(view.ptr, view.length);
  }

  /** Points `out` at the service; false where the request named none. */
  service(out: View): bool {
    out.set(this.text.ptr, this.serviceLength);
    return out.length > 0;
  }

  /** The same for the method. */
  method(out: View): bool {
    out.set(this.text.ptr + (this.serviceLength as usize), this.text.length - this.serviceLength);
    return out.length > 0;
  }

  clear(): void {
    this.text.reset(KEEP_SMALL);
    this.serviceLength = 0;
    this.generic = false;
  }
}
