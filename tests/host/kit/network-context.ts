import { BufferType, type CloseType, CloseType as Close, FilterStatus, Result, StreamType } from "./abi.ts";
import { ConstBuffer, type GuestBuffer, type NetBuffer } from "./buffer.ts";
import type { Connection } from "./connection.ts";
import { GuestContext, type RootContext } from "./context.ts";
import type { Properties } from "./properties.ts";

/** More continue_stream calls than this in one callback nest too deep for the VM's native stack (seen on Envoy 1.40). */
const MAX_CONTINUES = 16;

/** The context of one downstream connection, after Envoy's Context in its network filter role. */
export class NetworkContext extends GuestContext {
  /** The connection's read buffer once the filter has seen data, until it answers Continue. */
  private downstream: NetBuffer | null = null;
  /** What the next filter writes, during proxy_on_upstream_data only. */
  private upstream: NetBuffer | null = null;
  private closed = false;

  constructor(
    override readonly root: RootContext,
    private readonly connection: Connection,
    properties: Properties,
  ) {
    super(root.vm, properties);
  }

  onNewConnection(): FilterStatus {
    this.vm.call("proxy_on_context_create", this, this.id, this.root.id);
    return this.filterCall("proxy_on_new_connection");
  }

  /** `buffer` is the whole read buffer: what is left of earlier data and what is new. */
  onData(buffer: NetBuffer, end: boolean): FilterStatus {
    this.downstream = buffer;
    const status = this.filterCall("proxy_on_downstream_data", buffer.length, Number(end));
    if (status === FilterStatus.Continue) this.downstream = null;
    return status;
  }

  onWrite(buffer: NetBuffer, end: boolean): FilterStatus {
    this.upstream = buffer;
    const status = this.filterCall("proxy_on_upstream_data", buffer.length, Number(end));
    this.upstream = null;
    if (end) this.vm.call("proxy_on_upstream_connection_close", this, this.id, Close.Unknown);
    return status;
  }

  /** The end of the connection, in Envoy's order for network filters. */
  onClose(type: CloseType): void {
    if (this.closed) return;
    this.closed = true;
    this.vm.call("proxy_on_downstream_connection_close", this, this.id, type);
    this.vm.call("proxy_on_done", this, this.id);
    this.vm.call("proxy_on_log", this, this.id);
    this.vm.call("proxy_on_delete", this, this.id);
    this.vm.forget(this);
  }

  /** A filter callback: a dead VM closes the connection (FAIL_CLOSED) before anything that the call queued happens. */
  private filterCall(callback: string, ...args: number[]): FilterStatus {
    let status = this.failed() ? FilterStatus.StopIteration : FilterStatus.Continue;
    this.vm.callThen(callback, this, [this.id, ...args], (answer) => {
      if (this.failed() || answer !== FilterStatus.Continue) status = FilterStatus.StopIteration;
      if (callback === "proxy_on_upstream_data" && answer === FilterStatus.StopIteration) {
        throw this.fault(
          "stop-in-upstream",
          "StopIteration from proxy_on_upstream_data leaves Envoy a dangling buffer",
        );
      }
    });
    return status;
  }

  private failed(): boolean {
    if (this.vm.dead) this.connection.flushAndClose();
    return this.vm.dead;
  }

  override buffer(type: BufferType): GuestBuffer | null {
    if (type === BufferType.NetworkDownstreamData) return this.downstream ?? new ConstBuffer();
    if (type === BufferType.NetworkUpstreamData) return this.upstream ?? new ConstBuffer();
    return super.buffer(type);
  }

  override setProperty(path: string, value: Buffer): Result {
    this.properties.set(path, value);
    return Result.Ok;
  }

  override continueStream(type: number): Result {
    if (type === StreamType.Upstream) return Result.Unimplemented;
    if (type !== StreamType.Downstream) return Result.Ok;
    const { frame } = this.vm;
    if (frame.callback === "proxy_on_upstream_data") {
      throw this.fault("continue-in-upstream", "proxy_continue_stream(downstream) inside proxy_on_upstream_data");
    }
    if (++frame.continues > MAX_CONTINUES) {
      const where = `${frame.continues} proxy_continue_stream(downstream) calls in one ${frame.callback}`;
      throw this.fault("continue-storm", `${where}: they nest, at most ${MAX_CONTINUES}`);
    }
    this.vm.afterCall(() => this.connection.continueReading());
    return Result.Ok;
  }

  override closeStream(type: number): Result {
    if (type === StreamType.Downstream || type === StreamType.Upstream)
      this.vm.afterCall(() => this.connection.flushAndClose());
    return Result.Ok;
  }

  private fault(rule: string, message: string): Error {
    return this.vm.services.fault(rule, `connection ${this.connection.id}: ${message}`);
  }
}
