// The stream filters that are compiled in. A new one is one line here.
import { FilterRegistry } from "../../assembly/stream/registry";
import { dsl } from "../stream/dsl/dsl";
import { dubboStream } from "../stream/dubbo_stream/dubbo_stream";
import { fault } from "../stream/fault/fault";
import { faultTolerance } from "../stream/fault_tolerance/fault_tolerance";
import { flowControl } from "../stream/flowControlFilter/flow_control";
import { grpcMetric } from "../stream/grpc_metric/grpc_metric";
import { headerToMetadata } from "../stream/header_to_metadata/header_to_metadata";
import { hessianAllowlist } from "../stream/hessian_allowlist/hessian_allowlist";
import { ipAccess } from "../stream/ip_access/ip_access";
import { jwtAuthn } from "../stream/jwt_authn/jwt_authn";
import { mirror } from "../stream/mirror/mirror";
import { payloadLimit } from "../stream/payload_limit/payload_limit";
import { rbac } from "../stream/rbac/rbac";

/** The filter types of all roots; `of` gives those of one. */
export const filters = new FilterRegistry();
filters.register(dsl);
filters.register(dubboStream);
filters.register(fault);
filters.register(faultTolerance);
filters.register(flowControl);
filters.register(grpcMetric);
filters.register(headerToMetadata);
filters.register(hessianAllowlist);
filters.register(ipAccess);
filters.register(jwtAuthn);
filters.register(mirror);
filters.register(payloadLimit);
filters.register(rbac);
