// The module: which codecs are compiled in, and which roots there are. A new protocol is one line here, a new filter one
// in filters.ts.
export * from "../../assembly/abi/exports";
import { registerRoot } from "../../assembly/abi/dispatch";
import { RootContext } from "../../assembly/abi/context";
import { HttpRoot } from "../../assembly/http/root";
import { ProxyRoot } from "../../assembly/proxy/root";
import { FilterRoots } from "../../assembly/stream/filter";
import { CodecRegistry } from "../../assembly/xprotocol/registry";
import { bolt } from "../codec/bolt/bolt";
import { boltv2 } from "../codec/boltv2/boltv2";
import { dubbo } from "../codec/dubbo/dubbo";
import { dubboThrift } from "../codec/dubbothrift/dubbothrift";
import { tars } from "../codec/tars/tars";
import { xExample } from "../codec/x_example/x_example";
import { filters } from "./filters";
import { dsl } from "../stream/dsl/dsl";
import { dubboStream } from "../stream/dubbo_stream/dubbo_stream";
import { fault } from "../stream/fault/fault";
import { faultTolerance } from "../stream/fault_tolerance/fault_tolerance";
import { flowControl } from "../stream/flowControlFilter/flow_control";
import { grpcMetric } from "../stream/grpc_metric/grpc_metric";
import { headerToMetadata } from "../stream/header_to_metadata/header_to_metadata";
import { hessianAllowlist } from "../stream/hessian_allowlist/hessian_allowlist";
import { ipAccess } from "../stream/ip_access/ip_access";
import { mirror } from "../stream/mirror/mirror";
import { payloadLimit } from "../stream/payload_limit/payload_limit";

const codecs = new CodecRegistry();
codecs.register(bolt);
codecs.register(boltv2);
codecs.register(dubbo);
codecs.register(dubboThrift);
codecs.register(tars);
codecs.register(xExample);

const filters = new FilterRegistry();
filters.register(dsl);
filters.register(dubboStream);
filters.register(fault);
filters.register(faultTolerance);
filters.register(flowControl);
filters.register(grpcMetric);
filters.register(headerToMetadata);
filters.register(hessianAllowlist);
filters.register(ipAccess);
filters.register(mirror);
filters.register(payloadLimit);

registerRoot("proxy", (id: u32): RootContext => new ProxyRoot(id, codecs, filters.of(FilterRoots.PROXY)));
registerRoot("http", (id: u32): RootContext => new HttpRoot(id, filters.of(FilterRoots.HTTP)));
