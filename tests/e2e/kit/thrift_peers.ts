// A server and a client of Dubbo's thrift protocol: messages are read and written by Thrift for Node (npm thrift), as its
// generated code does; the header before them is Dubbo's (ThriftCodec of Dubbo 2.7).
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import thrift, { type ApplicationException, type Protocol } from "thrift";
import type { Scope } from "./scope.ts";
import { WAIT_MS } from "./wait.ts";

const { MessageType, Type, TApplicationException, TApplicationExceptionType } = thrift.Thrift;

const MAGIC = 0xdabc;
const VERSION = 1;
/** Length of the frame, magic, length of the message, length of the header, version. */
const FIXED = 13;

/** What comes before the message. */
export interface DubboHeader {
  service: string;
  /** Undefined: as versions before 2.7 write it. */
  path?: string;
  id: number;
}

/** A whole frame with this header and message. */
export function thriftFrame({ service, path, id }: DubboHeader, message: Buffer): Buffer {
  const header = write((out) => {
    out.writeByte(VERSION);
    out.writeString(service);
    if (path !== undefined) out.writeString(path);
    out.writeI64(id);
  });
  const length = 8 + header.length + message.length;
  const fixed = write((out) => {
    out.writeI32(length);
    out.writeI16(MAGIC - 0x10000);
    out.writeI32(length);
    out.writeI16(8 + header.length);
  });
  return Buffer.concat([fixed, header, message]);
}

function write(fill: (out: Protocol) => void): Buffer {
  let bytes: Buffer = Buffer.alloc(0);
  const out = new thrift.TBinaryProtocol(new thrift.TBufferedTransport(undefined, (all) => (bytes = all)));
  fill(out);
  out.flush();
  return bytes;
}

function reader(bytes: Buffer): Protocol {
  const transport = new thrift.TBufferedTransport();
  transport.inBuf = bytes;
  transport.writeCursor = bytes.length;
  return new thrift.TBinaryProtocol(transport);
}

/** A message with this struct. */
export function thriftMessage(name: string, type: number, sequence: number, fill: (out: Protocol) => void): Buffer {
  return write((out) => {
    out.writeMessageBegin(name, type, sequence);
    fill(out);
    out.writeMessageEnd();
  });
}

/** Writes a struct whose only field is a string. */
export function writeText(out: Protocol, id: number, text: string): void {
  out.writeStructBegin("text");
  out.writeFieldBegin("text", Type.STRING, id);
  out.writeString(text);
  out.writeFieldEnd();
  out.writeFieldStop();
  out.writeStructEnd();
}

/** The fields of a struct: strings, and structs of them. */
type Fields = Map<number, string | Fields>;

function readFields(input: Protocol): Fields {
  const fields: Fields = new Map();
  input.readStructBegin();
  for (let field = input.readFieldBegin(); field.ftype !== Type.STOP; field = input.readFieldBegin()) {
    if (field.ftype === Type.STRING) fields.set(field.fid, input.readString());
    else if (field.ftype === Type.STRUCT) fields.set(field.fid, readFields(input));
    else input.skip(field.ftype);
    input.readFieldEnd();
  }
  input.readStructEnd();
  return fields;
}

/** Calls `onFrame` for each frame that the socket brings: with its header, and a reader at its message. */
function readFrames(
  socket: Socket,
  hasPath: () => boolean,
  onFrame: (header: DubboHeader, input: Protocol) => void,
): void {
  let rest = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= FIXED && rest.length >= 4 + rest.readUInt32BE(0)) {
      const frame = rest.subarray(0, 4 + rest.readUInt32BE(0));
      rest = rest.subarray(frame.length);
      const input = reader(Buffer.from(frame.subarray(FIXED)));
      const service = input.readString();
      const path = hasPath() ? input.readString() : undefined;
      onFrame({ service, path, id: input.readI64().toNumber() }, input);
    }
  });
}

/** A call that arrived. */
export interface ThriftCall {
  service: string;
  path?: string;
  method: string;
  text: string;
  oneway: boolean;
}

/**
 * A server whose method `hello` answers with its name and the text that came; `deny` throws the exception that it
 * declares, `crash` another one, and `hold` says nothing. It keeps what it got, for as long as the scope lasts.
 */
export class ThriftServer {
  readonly arrived: ThriftCall[] = [];
  port = 0;

  private constructor(
    readonly name: string,
    private readonly paths: boolean,
  ) {}

  /** With `paths` it reads and writes headers as Dubbo 2.7 does, else as earlier versions. */
  static async start(scope: Scope, name: string, paths = true): Promise<ThriftServer> {
    const self = new ThriftServer(name, paths);
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      const onFrame = (header: DubboHeader, input: Protocol) => {
        const answer = self.serve(header, input);
        if (answer) socket.write(thriftFrame({ ...header, path: paths ? "" : undefined }, answer));
      };
      readFrames(socket, () => self.paths, onFrame);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    self.port = (server.address() as AddressInfo).port;
    scope.after(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return self;
  }

  /** The message of the answer, if there is one. */
  private serve({ service, path }: DubboHeader, input: Protocol): Buffer | undefined {
    const { fname, mtype, rseqid } = input.readMessageBegin();
    const text = String(readFields(input).get(1) ?? "");
    input.readMessageEnd();
    const oneway = mtype === MessageType.ONEWAY;
    this.arrived.push({ service, path, method: fname, text, oneway });
    if (oneway || fname === "hold") return undefined;
    const reply = (fill: (out: Protocol) => void) => thriftMessage(fname, MessageType.REPLY, rseqid, fill);
    if (fname === "hello") return reply((out) => writeText(out, 0, `${this.name}: ${text}`));
    if (fname === "deny") return reply((out) => writeException(out, `no ${text}`));
    const known = fname === "crash";
    const type = known ? TApplicationExceptionType.INTERNAL_ERROR : TApplicationExceptionType.UNKNOWN_METHOD;
    const error = new TApplicationException(type, known ? `oh, ${text}` : `no method ${fname}`);
    // What it reads into `type` it writes from `code`.
    return thriftMessage(fname, MessageType.EXCEPTION, rseqid, (out) =>
      Object.assign(error, { code: type }).write(out),
    );
  }
}

/** Writes a result whose exception, its field 1, has this message. */
function writeException(out: Protocol, message: string): void {
  out.writeStructBegin("result");
  out.writeFieldBegin("denied", Type.STRUCT, 1);
  writeText(out, 1, message);
  out.writeFieldEnd();
  out.writeFieldStop();
  out.writeStructEnd();
}

/** The exception that the method declares. */
export class Denied extends Error {}

/** One connection of a client of one service, for as long as the scope lasts. */
export class ThriftClient {
  private readonly waiting = new Map<number, (header: DubboHeader, input: Protocol) => void>();
  private lastId = 0;

  private constructor(
    private readonly socket: Socket,
    private readonly service: string,
    private readonly paths: boolean,
  ) {
    readFrames(
      socket,
      () => paths,
      (header, input) => this.waiting.get(header.id)?.(header, input),
    );
  }

  static async connect(scope: Scope, service: string, port: number, paths = true): Promise<ThriftClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    scope.after(() => socket.destroy());
    await new Promise<void>((done, failed) => socket.once("connect", done).once("error", failed));
    return new ThriftClient(socket, service, paths);
  }

  /** Makes a call; throws what the server does, an ApplicationException or Denied. */
  async call(method: string, text: string, path = this.service): Promise<string> {
    const message = thriftMessage(method, MessageType.CALL, this.lastId + 1000, (out) => writeText(out, 1, text));
    const { input, sequence } = await this.exchange(message, path);
    const { fname, mtype, rseqid } = input.readMessageBegin();
    if (fname !== method || rseqid !== sequence) throw new Error(`answer to ${fname} ${rseqid} instead of ${sequence}`);
    if (mtype === MessageType.EXCEPTION) {
      const error = new TApplicationException(0, "");
      error.read(input);
      throw error as ApplicationException;
    }
    const fields = readFields(input);
    const denied = fields.get(1);
    if (denied instanceof Map) throw new Denied(String(denied.get(1)));
    return String(fields.get(0));
  }

  private exchange(message: Buffer, path: string): Promise<{ input: Protocol; sequence: number }> {
    const id = ++this.lastId;
    return new Promise((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`no answer ${id} after ${WAIT_MS} ms`)), WAIT_MS);
      this.waiting.set(id, (header, input) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        done({ input, sequence: id + 999 });
      });
      this.write(id, message, path);
    });
  }

  /** Makes a one-way call. */
  send(method: string, text: string): void {
    const message = thriftMessage(method, MessageType.ONEWAY, 1, (out) => writeText(out, 1, text));
    this.write(++this.lastId, message, this.service);
  }

  private write(id: number, message: Buffer, path: string): void {
    this.socket.write(thriftFrame({ service: this.service, path: this.paths ? path : undefined, id }, message));
  }
}
