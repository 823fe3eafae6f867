import { Code } from "../../../assembly/message/code";

/** Dubbo's response statuses (org.apache.dubbo.remoting.exchange.Response). */
export const enum Status {
  OK = 20,
  SERIALIZATION_ERROR = 25,
  CLIENT_TIMEOUT = 30,
  SERVER_TIMEOUT = 31,
  CHANNEL_INACTIVE = 35,
  BAD_REQUEST = 40,
  BAD_RESPONSE = 50,
  SERVICE_NOT_FOUND = 60,
  SERVICE_ERROR = 70,
  SERVER_ERROR = 80,
  CLIENT_ERROR = 90,
  SERVER_THREADPOOL_EXHAUSTED = 100,
}

/** Dubbo's status for one of MOSN's codes: MOSN's own mapping (Mapping in dubbo/protocol.go), and that of 400. */
export function statusOf(code: i32): i32 {
  switch (code) {
    case Code.SUCCESS:
      return Status.OK;
    case Code.PERMISSION_DENIED:
      return Status.SERVER_ERROR;
    case Code.ROUTER_UNAVAILABLE:
    case Code.NO_HEALTH_UPSTREAM:
      return Status.SERVICE_NOT_FOUND;
    case Code.BAD_REQUEST:
    case Code.UPSTREAM_OVERFLOW:
    case Code.LIMIT_EXCEEDED:
      return Status.BAD_REQUEST;
    case Code.TIMEOUT:
      return Status.CLIENT_TIMEOUT;
    default:
      return Status.SERVICE_ERROR;
  }
}

/** MOSN's code for a Dubbo status. MOSN has no such mapping: these are the codes nearest in meaning. */
export function codeOf(status: i32): i32 {
  switch (status) {
    case Status.OK:
      return Code.SUCCESS;
    case Status.CLIENT_TIMEOUT:
    case Status.SERVER_TIMEOUT:
      return Code.TIMEOUT;
    case Status.BAD_REQUEST:
      return Code.BAD_REQUEST;
    case Status.CHANNEL_INACTIVE:
    case Status.BAD_RESPONSE:
      return Code.NO_HEALTH_UPSTREAM;
    case Status.SERVICE_NOT_FOUND:
      return Code.ROUTER_UNAVAILABLE;
    case Status.SERVER_THREADPOOL_EXHAUSTED:
      return Code.UPSTREAM_OVERFLOW;
    default:
      return Code.INTERNAL_ERROR;
  }
}
