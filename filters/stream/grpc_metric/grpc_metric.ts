import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { FilterMetricTable } from "../../../assembly/stream/metrics";
import { bit, Phase } from "../../../assembly/stream/phase";
import { Headers } from "../../../assembly/message/headers";
import { GrpcMetricConfig } from "./config";

/** Counters of the table, in its order; MOSN's names. */
const enum Counter {
  REQUEST = 0,
  SUCCESS = 1,
  FAILURE = 2,
}
const COUNTERS: string[] = ["request_total", "response_succ_total", "response_fail_total"];
const TABLE = new FilterMetricTable("grpc_metric", "", "service", "method", COUNTERS, [], [], Counter.SUCCESS);

// MOSN's variables of its gRPC server (pkg/filter/network/grpc): the full method, and whether the call succeeded.
const SERVICE_NAME = Bytes.of("gRPC_serviceName");
const RESULT = Bytes.of("requestResult");
const TRUE = Bytes.of("true");

const PROTOCOL = Bytes.of("downstream_protocol");
const HTTP = Bytes.of("Http");
const RPC_SERVICE = Bytes.of("x-mosn-rpc-service");
const RPC_METHOD = Bytes.of("x-mosn-rpc-method");
const CONTENT_TYPE = Bytes.of("content-type");
const GRPC_WEB = Bytes.of("application/grpc-web");
const GRPC_STATUS = Bytes.of("grpc-status");
const OK = Bytes.of("0");
const SLASH: u8 = 0x2f;

const service = new View();
const method = new View();
const value = new View();

/** Counts gRPC calls by service and method: MOSN's `grpc_metric`. */
class GrpcMetricFilter extends StreamFilter {
  /** At the end: the status of a gRPC call is in the trailers, behind the body. */
  onLog(handler: StreamHandler): void {
    if (handler.variable(SERVICE_NAME, service)) {
      if (!handler.variable(RESULT, value)) return;
      const success = TRUE.equals(value.ptr, value.length);
      // The value may be anywhere: names are asked for last.
      handler.variable(SERVICE_NAME, service);
      split(service, method);
      count(handler, success);
    } else if (isGrpc(handler)) {
      const success = succeeded(handler);
      if (!handler.variable(RPC_METHOD, method)) method.set(0, 0);
      if (handler.variable(RPC_SERVICE, service)) count(handler, success);
    }
  }
}

function count(handler: StreamHandler, success: bool): void {
  handler.metrics.countNamed(TABLE, service, method, Counter.REQUEST);
  handler.metrics.countNamed(TABLE, service, method, success ? Counter.SUCCESS : Counter.FAILURE);
}

/** "/SERVICE/METHOD" into its parts: all of it is the service where it is not made so. */
function split(name: View, method: View): void {
  method.set(0, 0);
  if (name.length == 0 || load<u8>(name.ptr) != SLASH) return;
  for (let i = name.length - 1; i > 0; i--) {
    if (load<u8>(name.ptr + (i as usize)) != SLASH) continue;
    method.set(name.ptr + (i as usize) + 1, name.length - i - 1);
    name.set(name.ptr + 1, i - 1);
    return;
  }
}

/** Whether the request is gRPC, on HTTP; gRPC-Web's statuses are in its bodies. */
function isGrpc(handler: StreamHandler): bool {
  if (!handler.variable(PROTOCOL, value) || !HTTP.isPrefixOf(value.ptr, value.length)) return false;
  if (!handler.variable(RPC_SERVICE, value)) return false;
  const headers = handler.requestHeaders;
  if (headers === null || !headers.get(CONTENT_TYPE.ptr, CONTENT_TYPE.length, value)) return false;
  return !GRPC_WEB.isPrefixOf(value.ptr, value.length);
}

/** Whether the call ended with the status 0; one without a status has failed. */
function succeeded(handler: StreamHandler): bool {
  const found = hasStatus(handler.responseTrailers) || hasStatus(handler.responseHeaders);
  return found && OK.equals(value.ptr, value.length);
}

/** Points `value` at the status. */
function hasStatus(headers: Headers | null): bool {
  return headers !== null && headers.get(GRPC_STATUS.ptr, GRPC_STATUS.length, value);
}

class GrpcMetricType extends FilterType {
  constructor() {
    super("grpc_metric", bit(Phase.ACCESS_LOG), false);
    this.setsLabels = false;
  }

  parse(from: ObjectReader): FilterConfig {
    return new GrpcMetricConfig(from);
  }

  create(config: FilterConfig): StreamFilter {
    return new GrpcMetricFilter();
  }
}

export const grpcMetric = new GrpcMetricType();
