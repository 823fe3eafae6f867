import type { NetBuffer } from "../host/kit/buffer.ts";
import type { Host } from "../host/kit/index.ts";
import { Switchboard } from "../host/kit/switchboard.ts";
import type { Terminal, TerminalConnection } from "../host/kit/terminal.ts";

/** The module broke a rule of HTTP/2 towards a switchboard that broke them first: Envoy would close. */
class Confused extends Error {}

/** A switchboard whose output passes through `change` on its way to the module; what it then gets does not surprise it. */
export class HostileSwitchboard implements Terminal {
  readonly switchboard: Switchboard;
  private connection: TerminalConnection | null = null;

  /** @param change gets each write; what it returns is written instead */
  constructor(
    host: Host,
    onConnect: Switchboard["onConnect"],
    private readonly change: (bytes: Buffer) => Buffer,
  ) {
    const fault = (rule: string, message: string) => new Confused(`${rule}: ${message}`);
    this.switchboard = new Switchboard({ loop: host.loop, clock: host.clock, fault }, onConnect);
  }

  onNewConnection(connection: TerminalConnection): void {
    this.connection = connection;
    const { change } = this;
    this.switchboard.onNewConnection({
      get open() {
        return connection.open;
      },
      get aboveWriteLimit() {
        return connection.aboveWriteLimit;
      },
      property: (path) => connection.property(path),
      write: (data) => {
        const bytes = change(data);
        if (bytes.length > 0) connection.write(bytes);
      },
      flushAndClose: () => connection.flushAndClose(),
    });
  }

  onData(buffer: NetBuffer): void {
    try {
      this.switchboard.onData(buffer);
    } catch (error) {
      if (!(error instanceof Confused)) throw error;
      buffer.take();
      this.connection?.flushAndClose();
    }
  }

  onBelowWriteLimit(): void {
    this.switchboard.onBelowWriteLimit();
  }

  onClose(): void {
    this.switchboard.onClose();
  }
}
