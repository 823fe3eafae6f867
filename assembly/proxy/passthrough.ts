import { Bytes } from "../bytes/bytes";
import { ConnectTarget } from "../tunnel/connect";
import { Tunnel } from "../tunnel/tunnel";
import { CloseReason, Upstream } from "../tunnel/upstream";
import { Connection } from "./connection";

/** A connection of no known protocol, carried byte for byte to the cluster of `fallback`. */
export class Passthrough extends Upstream {
  constructor(
    private readonly connection: Connection,
    tunnel: Tunnel,
  ) {
    super(tunnel, Tunnel.streamReceiveWindow);
  }

  open(target: ConnectTarget): void {
    this.tunnel.open(this, target, Bytes.EMPTY);
  }

  /** Sends bytes of the client. */
  write(ptr: usize, length: i32): void {
    this.queue.append(ptr, length);
    this.tunnel.wrote(this, length);
  }

  onOpen(): void {}

  onData(ptr: usize, length: i32): void {
    this.connection.toClient.append(ptr, length);
  }

  onClose(reason: CloseReason): void {
    this.connection.linger();
  }
}
