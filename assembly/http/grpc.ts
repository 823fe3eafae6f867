// How gRPC calls end: their status is in the trailers, or in the headers of a response that has nothing else.
import { Bytes } from "../bytes/bytes";
import { readDecimal } from "../bytes/decimal";
import { View } from "../bytes/view";
import { Phase, ResponseFlag } from "../stream/phase";
import { Code } from "../message/code";
import { HttpTransaction } from "./transaction";

const CONTENT_TYPE = Bytes.of("content-type");
const GRPC = Bytes.of("application/grpc");
const GRPC_WEB = Bytes.of("application/grpc-web");
const GRPC_STATUS = Bytes.of("grpc-status");
/** A status is of two digits at most; longer ones are none that is known. */
const MAX_DIGITS: i32 = 3;

/** Envoy has seen the response end, and not by the server's will. */
const LOST: u32 =
  ResponseFlag.UPSTREAM_REQUEST_TIMEOUT |
  ResponseFlag.UPSTREAM_LOCAL_RESET |
  ResponseFlag.UPSTREAM_REMOTE_RESET |
  ResponseFlag.UPSTREAM_CONNECTION_FAILURE |
  ResponseFlag.UPSTREAM_CONNECTION_TERMINATION;

/** The HTTP statuses of gRPC's statuses from 0 on, as Envoy maps them (Grpc::Utility::grpcToHttpStatus). */
const CODES: StaticArray<i32> = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

const view = new View();

/**
 * The code of how a stream has ended: its HTTP status, and of a gRPC call that of its status. 0: a gRPC call has none, or
 * none yet, and nobody knows. The status of gRPC-Web is in its body, which is not looked at.
 */
export function outcomeOf(stream: HttpTransaction): i32 {
  const code = stream.responseCode;
  if (code != Code.SUCCESS || stream.isLocal) return code;
  if (!stream.request.headers.find(CONTENT_TYPE, view) || !GRPC.isPrefixOf(view.ptr, view.length)) return code;
  const web = GRPC_WEB.isPrefixOf(view.ptr, view.length);
  const trailers = stream.responseTrailers;
  const found = trailers !== null && trailers.get(GRPC_STATUS.ptr, GRPC_STATUS.length, view);
  if (found || stream.response.headers.find(GRPC_STATUS, view)) return codeOf(view);
  if (web) return code;
  if (stream.phase != Phase.ACCESS_LOG) return 0;
  // A response that ends without a status is UNKNOWN to clients of gRPC.
  if (stream.responseEnded) return Code.INTERNAL_ERROR;
  return (stream.flags & LOST) != 0 ? Code.NO_HEALTH_UPSTREAM : 0;
}

/** The code of a status; what is none of gRPC's is an error of the server. */
function codeOf(status: View): i32 {
  if (status.length > MAX_DIGITS) return Code.INTERNAL_ERROR;
  const number = readDecimal(status.ptr, status.length);
  return number >= 0 && number < CODES.length ? unchecked(CODES[number as i32]) : Code.INTERNAL_ERROR;
}
