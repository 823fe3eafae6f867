// The part of Thrift for Node that the tests use; it has no types.
declare module "thrift" {
  /** Bytes in, or bytes out: `onFlush` gets what was written. */
  export interface Transport {
    inBuf: Buffer;
    readCursor: number;
    writeCursor: number;
  }

  export interface Protocol {
    writeMessageBegin(name: string, type: number, sequence: number): void;
    writeMessageEnd(): void;
    writeStructBegin(name: string): void;
    writeStructEnd(): void;
    writeFieldBegin(name: string, type: number, id: number): void;
    writeFieldEnd(): void;
    writeFieldStop(): void;
    writeString(text: string): void;
    writeI64(number: number): void;
    writeI32(number: number): void;
    writeI16(number: number): void;
    writeByte(number: number): void;
    flush(): void;
    readMessageBegin(): { fname: string; mtype: number; rseqid: number };
    readMessageEnd(): void;
    readStructBegin(): void;
    readStructEnd(): void;
    readFieldBegin(): { ftype: number; fid: number };
    readFieldEnd(): void;
    readString(): string;
    readI64(): { toNumber(): number };
    readI32(): number;
    readI16(): number;
    readByte(): number;
    skip(type: number): void;
  }

  export class ApplicationException extends Error {
    constructor(type: number, message: string);
    type: number;
    read(input: Protocol): void;
    write(output: Protocol): void;
  }

  const thrift: {
    TBufferedTransport: new (buffer?: undefined, onFlush?: (bytes: Buffer) => void) => Transport;
    TBinaryProtocol: new (transport: Transport) => Protocol;
    Thrift: {
      MessageType: { CALL: number; REPLY: number; EXCEPTION: number; ONEWAY: number };
      Type: { STOP: number; STRING: number; STRUCT: number };
      TApplicationException: typeof ApplicationException;
      TApplicationExceptionType: { UNKNOWN_METHOD: number; INTERNAL_ERROR: number };
    };
  };
  export default thrift;
}
