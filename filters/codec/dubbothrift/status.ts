import { Code } from "../../../assembly/message/code";

/** The statuses of this codec: a REPLY, or the type of a TApplicationException (those that thrift 0.22 defines: 0 to 10). */
export const enum Status {
  SUCCESS = -1,
  UNKNOWN = 0,
  UNKNOWN_METHOD = 1,
  INTERNAL_ERROR = 6,
  PROTOCOL_ERROR = 7,
  LAST = 10,
}

/** The exception's type for one of MOSN's codes: MOSN's mapping (dubboMosnStatusMap in dubbothrift/types.go). */
export function statusOf(code: i32): i32 {
  switch (code) {
    case Code.SUCCESS:
      return Status.SUCCESS;
    case Code.CODEC_EXCEPTION:
    case Code.DESERIALIZE_EXCEPTION:
      return Status.PROTOCOL_ERROR;
    case Code.ROUTER_UNAVAILABLE:
      return Status.UNKNOWN_METHOD;
    case Code.PERMISSION_DENIED:
    case Code.INTERNAL_ERROR:
    case Code.TIMEOUT:
      return Status.INTERNAL_ERROR;
    default:
      return Status.UNKNOWN;
  }
}

/** MOSN's code for a status. MOSN has no mapping here, so that its retries and statistics see no failure at all. */
export function codeOf(status: i32): i32 {
  if (status == Status.SUCCESS) return Code.SUCCESS;
  return status == Status.UNKNOWN_METHOD ? Code.ROUTER_UNAVAILABLE : Code.INTERNAL_ERROR;
}
