// A heartbeat of each protocol and the answer to it, for Envoy's TCP health check.

export interface HealthBytes {
  /** The heartbeat, in hex. */
  send: string;
  /**
   * What an answer must contain, in hex: its start with the request id, up to where servers differ. Envoy searches for it
   * anywhere in the answer.
   */
  receive: string;
  /** What the bytes are. */
  fields: string;
}

/** Heartbeats with request id 1. */
export const HEARTBEATS: Record<string, HealthBytes> = {
  bolt: {
    send: ["01", "01", "0000", "01", "00000001", "01", "ffffffff", "0000", "0000", "00000000"].join(""),
    receive: ["01", "00", "0000", "01", "00000001"].join(""),
    fields:
      "protocol 1, request (answer: response), command 0 heartbeat, version 1, id 1, hessian, no timeout, no body",
  },
  boltv2: {
    send: ["02", "01", "01", "0000", "01", "00000001", "01", "00", "ffffffff", "0000", "0000", "00000000"].join(""),
    receive: ["00", "0000", "01", "00000001"].join(""),
    fields: "protocol 2.1, as bolt, no CRC; the answer may come in 2.1 or 2.2",
  },
  dubbo: {
    send: ["dabb", "e2", "00", "0000000000000001", "00000001", "4e"].join(""),
    receive: ["dabb", "22", "14", "0000000000000001"].join(""),
    fields: "magic, two-way event in Hessian (answer: no request, status 20), id 1, a body of one byte: null",
  },
  x_example: {
    send: ["78", "00", "00", "00000001", "00000000"].join(""),
    receive: ["78", "00", "01", "00000001"].join(""),
    fields: "'x', type 0 heartbeat, direction 0 request (answer: 1), id 1, no payload",
  },
};

/** Protocols without a heartbeat of their own. */
export const WITHOUT_HEARTBEAT = ["dubbo-thrift", "tars"];
