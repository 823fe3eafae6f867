// What tests/vectors cannot say: variables, counts, and requests that end in other ways.
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { FilterChain } from "../../../assembly/stream/chain";
import { FilterStatus, Phase } from "../../../assembly/stream/phase";
import { chainOf } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { dubboStream } from "./dubbo_stream";

const PREFIX = "moe.filter.dubbo_stream.listener.rpc.service.s.S.method.m.";
const CONFIG = "{'listener':'rpc'}";

const view = new View();

function call(protocol: string, service: string = "s.S", method: string = "m"): TestHandler {
  const handler = new TestHandler().with("downstream_protocol", protocol);
  if (service.length > 0) handler.with("x-mosn-rpc-service", service);
  if (method.length > 0) handler.with("x-mosn-rpc-method", method);
  return handler;
}

function variable(handler: TestHandler, name: string): string {
  return handler.variable(Bytes.of(name), view) ? String.UTF8.decodeUnsafe(view.ptr, view.length) : "-";
}

/** Requests, successes and failures that a call has added, as "1 0 0". */
function counts(handler: TestHandler, prefix: string = PREFIX): string {
  const names = ["request_total", "response_succ_total", "response_fail_total"];
  const values: string[] = [];
  for (let i = 0; i < names.length; i++) values.push(handler.counted.value(prefix + names[i]).toString());
  return values.join(" ");
}

/** Takes a call from its begin to its end with this code; 0: there was no response. */
function run(chain: FilterChain, handler: TestHandler, code: i32): FilterStatus {
  const status = handler.run(chain, Phase.BEFORE_ROUTE);
  handler.responseCode = code;
  chain.log(handler);
  chain.reset();
  return status;
}

describe("dubbo_stream", () => {
  test("counts calls, and what came of them", () => {
    const chain = chainOf(dubboStream, CONFIG);
    const codes = [200, 500, 404, 504, 0];
    const expected = ["1 1 0", "1 0 1", "1 0 1", "1 0 1", "1 0 0"];
    for (let i = 0; i < codes.length; i++) {
      const handler = call("dubbo");
      expect(run(chain, handler, codes[i])).toBe(FilterStatus.CONTINUE);
      expect(counts(handler)).toBe(expected[i], codes[i].toString());
    }
  });

  test("sets what HTTP's routes go by", () => {
    const handler = call("dubbo");
    run(chainOf(dubboStream, CONFIG), handler, 200);
    expect(variable(handler, "x-mosn-host")).toBe("s.S");
    expect(variable(handler, "x-mosn-path")).toBe("/");
    expect(variable(handler, "Dubbo_service")).toBe("s.S");
    expect(variable(handler, "Dubbo_method")).toBe("m");
  });

  test("a call without a method is one of the method unknown; one without a service ends", () => {
    const chain = chainOf(dubboStream, CONFIG);
    const handler = call("dubbo", "s.S", "");
    run(chain, handler, 200);
    expect(counts(handler, "moe.filter.dubbo_stream.listener.rpc.service.s.S.method.unknown.")).toBe("1 1 0");
    const nameless = call("dubbo", "");
    expect(run(chain, nameless, 0)).toBe(FilterStatus.TERMINATION);
    expect(nameless.failures.join()).toBe("dubbo_stream");
  });

  test("other protocols count only when they are named, and leave nothing to the next request", () => {
    const chain = chainOf(dubboStream, CONFIG);
    run(chain, call("dubbo"), 200);
    const other = call("bolt");
    run(chain, other, 200);
    expect(counts(other)).toBe("0 0 0");
    expect(variable(other, "x-mosn-host")).toBe("-");
    expect(run(chain, call("bolt", ""), 200)).toBe(FilterStatus.CONTINUE);
    const named = call("bolt");
    run(chainOf(dubboStream, "{'listener':'a b','protocols':['tars','bolt']}"), named, 200);
    expect(counts(named, "moe.filter.dubbo_stream.listener.a_b.service.s.S.method.m.")).toBe("1 1 0");
  });

  test("a request with too many variables counts, and its failure too", () => {
    const handler = call("dubbo");
    for (let i = 0; i < 60; i++) handler.with(`v${i}`, "x");
    expect(run(chainOf(dubboStream, CONFIG), handler, 200)).toBe(FilterStatus.CONTINUE);
    expect(counts(handler)).toBe("1 1 0");
    expect(handler.failures.join()).toBe("dubbo_stream");
  });
});
