import { RootContext } from "../abi/context";
import { Callouts } from "./callout";

/** A plugin that calls out: the host's callbacks for answers go to its table. */
export abstract class CalloutRoot extends RootContext {
  abstract get callouts(): Callouts;

  /** A callback begins. */
  abstract enter(): void;

  onHttpCallResponse(call: u32, headers: i32, bodySize: i32, trailers: i32): void {
    this.enter();
    this.callouts.onHttpResponse(call, headers, bodySize, trailers);
  }

  onGrpcReceive(call: u32, size: i32): void {
    this.enter();
    this.callouts.onGrpcMessage(call, size);
  }

  onGrpcClose(call: u32, status: i32): void {
    this.enter();
    this.callouts.onGrpcClose(call, status);
  }
}
