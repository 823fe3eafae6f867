import { Code } from "../../../assembly/message/code";

/** Bolt's response statuses (sofa-bolt ResponseStatus). A Java client closes the connection over any other. */
export const enum Status {
  SUCCESS = 0,
  ERROR = 1,
  SERVER_EXCEPTION = 2,
  UNKNOWN = 3,
  SERVER_THREADPOOL_BUSY = 4,
  ERROR_COMM = 5,
  NO_PROCESSOR = 6,
  TIMEOUT = 7,
  CLIENT_SEND_ERROR = 8,
  CODEC_EXCEPTION = 9,
  CONNECTION_CLOSED = 16,
  SERVER_SERIAL_EXCEPTION = 17,
  SERVER_DESERIAL_EXCEPTION = 18,
}

/** Bolt's status for one of MOSN's codes: MOSN's own mapping for v1 (Mapping in bolt/protocol.go), used for v2 too. */
export function statusOf(code: i32): i32 {
  switch (code) {
    case Code.SUCCESS:
      return Status.SUCCESS;
    case Code.ROUTER_UNAVAILABLE:
    case Code.NO_HEALTH_UPSTREAM:
      return Status.NO_PROCESSOR;
    case Code.UPSTREAM_OVERFLOW:
      return Status.SERVER_THREADPOOL_BUSY;
    case Code.TIMEOUT:
      return Status.TIMEOUT;
    case Code.CODEC_EXCEPTION:
      return Status.CODEC_EXCEPTION;
    case Code.DESERIALIZE_EXCEPTION:
      return Status.SERVER_DESERIAL_EXCEPTION;
    case Code.PERMISSION_DENIED:
      return Status.SERVER_EXCEPTION;
    default:
      return Status.UNKNOWN;
  }
}

/** MOSN's code for a Bolt status (its HTTP mapping: metrics, retry rules, access log). */
export function codeOf(status: i32): i32 {
  switch (status) {
    case Status.SUCCESS:
      return Code.SUCCESS;
    case Status.SERVER_THREADPOOL_BUSY:
      return Code.UPSTREAM_OVERFLOW;
    case Status.TIMEOUT:
      return Code.TIMEOUT;
    case Status.CONNECTION_CLOSED:
      return Code.NO_HEALTH_UPSTREAM;
    default:
      return Code.INTERNAL_ERROR;
  }
}
