import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig } from "../../../assembly/stream/filter";

/** Configuration of `grpc_metric`: there is none. */
export class GrpcMetricConfig extends FilterConfig {
  constructor(from: ObjectReader) {
    super();
    from.finish();
  }
}
