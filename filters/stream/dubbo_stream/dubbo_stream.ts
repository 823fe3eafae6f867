import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { bit, FilterStatus, Phase } from "../../../assembly/stream/phase";
import { Code } from "../../../assembly/message/code";
import { Counter, DubboStreamConfig } from "./config";

const PROTOCOL = Bytes.of("downstream_protocol");
const RPC_SERVICE = Bytes.of("x-mosn-rpc-service");
const RPC_METHOD = Bytes.of("x-mosn-rpc-method");
const HOST = Bytes.of("x-mosn-host");
const PATH = Bytes.of("x-mosn-path");
const DUBBO_SERVICE = Bytes.of("Dubbo_service");
const DUBBO_METHOD = Bytes.of("Dubbo_method");
const SLASH = Bytes.of("/");

const service = new View();
const method = new View();

/** Counts calls by service and method, and lets HTTP's routes match them: MOSN's `dubbo_stream`. */
class DubboStreamFilter extends StreamFilter {
  /** The request counts. */
  private counted: bool = false;
  /** The last response carries an exception that counts as a failure. */
  private exception: bool = false;

  constructor(private readonly config: DubboStreamConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    if (!isOf(handler, this.config.protocols)) return FilterStatus.CONTINUE;
    if (!readNames(handler)) {
      handler.countFailure(dubboStream);
      return FilterStatus.TERMINATION;
    }
    this.counted = true;
    handler.metrics.countNamed(this.config.table, service, method, Counter.REQUEST);
    const done =
      handler.setVariable(HOST, service.ptr, service.length) &&
      handler.setVariable(PATH, SLASH.ptr, SLASH.length) &&
      handler.setVariable(DUBBO_SERVICE, service.ptr, service.length) &&
      handler.setVariable(DUBBO_METHOD, method.ptr, method.length);
    if (!done) handler.countFailure(dubboStream);
    return FilterStatus.CONTINUE;
  }

  append(handler: StreamHandler): FilterStatus {
    this.exception = this.config.exceptionsAreErrors && handler.isException;
    return FilterStatus.CONTINUE;
  }

  /** At the end, not with each response: one that is followed by another try is none that the client gets. */
  onLog(handler: StreamHandler): void {
    const code = handler.responseCode;
    if (!this.counted || code == 0 || !readNames(handler)) return;
    const counter = code == Code.SUCCESS && !this.exception ? Counter.SUCCESS : Counter.FAILURE;
    handler.metrics.countNamed(this.config.table, service, method, counter);
  }

  onDestroy(): void {
    this.counted = this.exception = false;
  }
}

function isOf(handler: StreamHandler, protocols: Bytes[]): bool {
  if (!handler.variable(PROTOCOL, service)) return false;
  for (let i = 0; i < protocols.length; i++) {
    if (unchecked(protocols[i]).equals(service.ptr, service.length)) return true;
  }
  return false;
}

/** Points at what the request called; false where it names no service. */
function readNames(handler: StreamHandler): bool {
  if (!handler.variable(RPC_METHOD, method)) method.set(0, 0);
  return handler.variable(RPC_SERVICE, service) && service.length > 0;
}

class DubboStreamType extends FilterType {
  constructor() {
    super("dubbo_stream", bit(Phase.BEFORE_ROUTE) | bit(Phase.ACCESS_LOG), false);
    this.setsLabels = false;
  }

  parse(from: ObjectReader): FilterConfig {
    const config = new DubboStreamConfig(from);
    if (config.exceptionsAreErrors) this.phases |= bit(Phase.BEFORE_SEND);
    return config;
  }

  create(config: FilterConfig): StreamFilter {
    return new DubboStreamFilter(config as DubboStreamConfig);
  }
}

export const dubboStream = new DubboStreamType();
