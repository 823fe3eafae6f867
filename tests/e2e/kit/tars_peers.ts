// A server and a client of Tars for Node (npm @tars/rpc): nothing here knows the packets.
import tars, { type Current, type Handler, type Worker } from "@tars/rpc";
import stream, { type BinBuffer } from "@tars/stream";
import { freePort } from "../../../scripts/lib/ports.ts";
import type { Scope } from "./scope.ts";
import { WAIT_MS } from "./wait.ts";

/** The return code of a method that the server does not have. */
const NO_FUNC = -3;

/** A call that arrived. */
export interface TarsCall {
  servant: string;
  method: string;
  text: string;
  oneway: boolean;
  timeout: number;
  context: Record<string, string>;
}

/** An answer of the server, as the client got it. */
export interface TarsAnswer {
  text: string;
  context: Record<string, string>;
}

/** An error that the server or the proxy answered with. */
export interface TarsError {
  code: number;
  message: string;
}

/**
 * A server whose method `hello` answers with its name and the text that came, with the context `from`; `fail` answers
 * with return code 7, and `hold` never. It keeps what it got, for as long as the scope lasts.
 */
export class TarsServer {
  readonly arrived: TarsCall[] = [];

  private constructor(
    readonly name: string,
    readonly port: number,
  ) {}

  static async start(scope: Scope, name: string, servant: string): Promise<TarsServer> {
    const self = new TarsServer(name, await freePort());
    const server = tars.server.createServer();
    class Imp implements Handler {
      initialize() {}
      onDispatch(current: Current, method: string, bytes: BinBuffer) {
        return self.serve(current, method, bytes);
      }
    }
    const endpoint = `tcp -h 127.0.0.1 -p ${self.port} -t 60000`;
    server.start({ endpoint, servant, name: servant, protocolName: "tars", handleImp: Imp });
    scope.after(() => server.stop());
    return self;
  }

  private serve(current: Current, method: string, bytes: BinBuffer): number {
    const { sServantName, cPacketType, iTimeout } = current.getRequest();
    const text = new stream.TarsInputStream(bytes).readString(1, true);
    const context = current.getContext().toObject();
    this.arrived.push({ servant: sServantName, method, text, oneway: cPacketType === 1, timeout: iTimeout, context });
    if (method === "hold") return 0;
    if (method === "fail") current.sendErrorResponse(7, `no ${text}`);
    else if (method !== "hello") return NO_FUNC;
    else this.answer(current, `${this.name}: ${text}`);
    return 0;
  }

  private answer(current: Current, text: string): void {
    current.setResponseContext({ from: this.name });
    current.doResponse(structOf(0, text));
  }
}

function structOf(tag: number, text: string): BinBuffer {
  const out = new stream.TarsOutputStream();
  out.writeString(tag, text);
  return out.getBinBuffer();
}

class Proxy {
  declare _worker: Worker;
}

export interface TarsCallOptions {
  /** Milliseconds, which go into the packet too. */
  timeout?: number;
  context?: Record<string, string>;
}

/** A client of one servant, for as long as the scope lasts. */
export class TarsClient {
  private readonly worker: Worker;

  constructor(scope: Scope, servant: string, port: number) {
    const communicator = tars.Communicator.New();
    // The library keeps a closed connection for as long as a call may take.
    communicator.setProperty("timeout", 1000);
    const proxy = communicator.stringToProxy(Proxy, `${servant}@tcp -h 127.0.0.1 -p ${port} -t 60000`);
    this.worker = proxy._worker;
    scope.after(() => communicator.destroy());
  }

  /** Makes a call; throws a TarsError when the return code is not 0. */
  async call(method: string, text: string, options: TarsCallOptions = {}): Promise<TarsAnswer> {
    this.worker.timeout = options.timeout ?? WAIT_MS;
    try {
      const { response } = await this.worker.tars_invoke(method, structOf(1, text), { context: options.context });
      const answer = new stream.TarsInputStream(response.sBuffer).readString(0, true);
      return { text: answer, context: response.context?.toObject() ?? {} };
    } catch (error) {
      throw (error as { response?: { error: TarsError }; error?: TarsError }).error ?? error;
    } finally {
      this.worker.timeout = 1000;
    }
  }

  /** Makes a one-way call, which is over when it is sent. */
  async send(method: string, text: string, context?: Record<string, string>): Promise<void> {
    await this.worker.tars_invoke(method, structOf(1, text), { packetType: 1, context }).catch(() => {});
  }
}
