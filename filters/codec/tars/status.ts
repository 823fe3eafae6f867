import { Code } from "../../../assembly/message/code";

/** Tars' return codes (BaseF.tars of TarsGo). A C++ client closes the connection over any below -99. */
export const enum Status {
  SUCCESS = 0,
  SERVER_DECODE_ERROR = -1,
  NO_FUNC = -3,
  NO_SERVANT = -4,
  QUEUE_TIMEOUT = -6,
  INVOKE_TIMEOUT = -7,
  PROXY_CONNECT_ERROR = -8,
  OVERLOAD = -9,
  ADAPTER_NULL = -10,
  SEND_REQUEST_ERROR = -13,
  UNKNOWN = -99,
}

/** What the error of a servant counts as: no failure of the server, and nothing that another try would change. */
const APPLICATION_ERROR: i32 = 400;

/** The return code for one of MOSN's codes. MOSN has none: it cannot answer for a Tars server. */
export function statusOf(code: i32): i32 {
  switch (code) {
    case Code.SUCCESS:
      return Status.SUCCESS;
    case Code.CODEC_EXCEPTION:
    case Code.DESERIALIZE_EXCEPTION:
      return Status.SERVER_DECODE_ERROR;
    case Code.ROUTER_UNAVAILABLE:
      return Status.NO_SERVANT;
    case Code.NO_HEALTH_UPSTREAM:
      return Status.PROXY_CONNECT_ERROR;
    case Code.UPSTREAM_OVERFLOW:
    case Code.LIMIT_EXCEEDED:
      return Status.OVERLOAD;
    case Code.TIMEOUT:
      return Status.INVOKE_TIMEOUT;
    default:
      return Status.UNKNOWN;
  }
}

/** MOSN's code for a return code. Positive ones are TarsGo's for an error that the servant itself returns. */
export function codeOf(status: i32): i32 {
  if (status > Status.SUCCESS) return APPLICATION_ERROR;
  switch (status) {
    case Status.SUCCESS:
      return Code.SUCCESS;
    case Status.NO_FUNC:
    case Status.NO_SERVANT:
      return Code.ROUTER_UNAVAILABLE;
    case Status.QUEUE_TIMEOUT:
    case Status.INVOKE_TIMEOUT:
      return Code.TIMEOUT;
    case Status.PROXY_CONNECT_ERROR:
    case Status.ADAPTER_NULL:
    case Status.SEND_REQUEST_ERROR:
      return Code.NO_HEALTH_UPSTREAM;
    case Status.OVERLOAD:
      return Code.UPSTREAM_OVERFLOW;
    default:
      return Code.INTERNAL_ERROR;
  }
}
