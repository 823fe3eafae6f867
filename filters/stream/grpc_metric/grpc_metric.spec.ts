// What tests/vectors cannot say: what counts. Trailers are in tests/host/metrics-filters.test.ts.
import { chainOf } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { grpcMetric } from "./grpc_metric";

/** Requests, successes and failures of a pair of names, as "1 0 1". */
function counts(handler: TestHandler, service: string, method: string): string {
  const prefix = `moe.filter.grpc_metric.service.${service}.method.${method}.`;
  const names = ["request_total", "response_succ_total", "response_fail_total"];
  const values: string[] = [];
  for (let i = 0; i < names.length; i++) values.push(handler.counted.value(prefix + names[i]).toString());
  return values.join(" ");
}

/** A call with MOSN's variables; an empty result is none. */
function withVariables(name: string, result: string): TestHandler {
  const handler = new TestHandler().with("downstream_protocol", "bolt").with("gRPC_serviceName", name);
  if (result.length > 0) handler.with("requestResult", result);
  chainOf(grpcMetric, "{}").log(handler);
  return handler;
}

function onHttp(protocol: string, contentType: string): TestHandler {
  const handler = new TestHandler().with("downstream_protocol", protocol).header("content-type", contentType);
  handler.with("x-mosn-rpc-service", "p.S").with("x-mosn-rpc-method", "M");
  chainOf(grpcMetric, "{}").log(handler);
  return handler;
}

describe("grpc_metric", () => {
  test("MOSN's variables say what is called, and what came of it", () => {
    expect(counts(withVariables("/p.S/M", "true"), "p.S", "M")).toBe("1 1 0");
    expect(counts(withVariables("/p.S/M", "false"), "p.S", "M")).toBe("1 0 1");
    expect(counts(withVariables("/a/b/M", "true"), "a/b", "M")).toBe("1 1 0");
    expect(counts(withVariables("/p.S/M", ""), "p.S", "M")).toBe("0 0 0");
  });

  test("names that are made otherwise are services", () => {
    expect(counts(withVariables("service1", "true"), "service1", "unknown")).toBe("1 1 0");
    expect(counts(withVariables("p.S/M", "true"), "p.S/M", "unknown")).toBe("1 1 0");
    expect(counts(withVariables("/p.S", "true"), "/p.S", "unknown")).toBe("1 1 0");
    expect(counts(withVariables("//", "true"), "unknown", "unknown")).toBe("1 1 0");
    expect(counts(withVariables("/", "true"), "/", "unknown")).toBe("1 1 0");
    expect(counts(withVariables("", "true"), "unknown", "unknown")).toBe("1 1 0");
  });

  test("gRPC on HTTP without any status has failed; other requests are none of its", () => {
    expect(counts(onHttp("Http2", "application/grpc+proto"), "p.S", "M")).toBe("1 0 1");
    expect(counts(onHttp("Http1", "application/grpc"), "p.S", "M")).toBe("1 0 1");
    expect(counts(onHttp("Http2", "application/grpc-web+proto"), "p.S", "M")).toBe("0 0 0");
    expect(counts(onHttp("bolt", "application/grpc"), "p.S", "M")).toBe("0 0 0");
    const plain = new TestHandler().with("downstream_protocol", "Http2");
    chainOf(grpcMetric, "{}").log(plain);
    expect(counts(plain, "unknown", "unknown")).toBe("0 0 0");
  });
});
