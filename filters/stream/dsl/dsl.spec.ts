// What tests/vectors cannot say: attributes of all kinds, responses and the log, and which phases cost something.
import { Bytes } from "../../../assembly/bytes/bytes";
import { FilterChain } from "../../../assembly/stream/chain";
import { FilterStatus, Phase, bit } from "../../../assembly/stream/phase";
import { HeaderList } from "../../../assembly/message/list";
import { chainOf } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { dsl } from "./dsl";

function chain(field: string, expression: string): FilterChain {
  return chainOf(dsl, `{'${field}':'${expression.replaceAll("'", "\\u0027").replaceAll('"', "\\u0022")}'}`);
}

function request(): TestHandler {
  const handler = new TestHandler();
  handler.with("x-mosn-host", "test.local");
  handler.with("x-mosn-method", "GET");
  handler.with("x-mosn-path", "/a b");
  handler.with("x-mosn-querystring", "k=v&&k=w;e&p%20q=1%2B2+3&bad=%zz");
  handler.with("protocol", "Http1");
  handler.with("downstream_local_address", "10.0.0.1:2045");
  handler.address = Bytes.of("10.0.0.2:12200");
  handler.cluster = Bytes.of("outbound|80|v1|reviews.default.svc.cluster.local");
  handler.began = 1614834367008000000;
  handler.requestSize = 120;
  handler.responseSize = 34;
  return handler.header("a", "b").withBody(11);
}

/** What an expression of type string comes to when the host is chosen. */
function valueOf(handler: TestHandler, expression: string): string {
  const all = chain("after_balancer_by_dsl", `ctx.rewrite_request_url(${expression})`);
  expect(handler.run(all, Phase.AFTER_CHOOSE_HOST)).toBe(FilterStatus.CONTINUE);
  const view = handler.pathText;
  all.reset();
  return view;
}

/** Attributes of the request above, as texts. */
const VALUES: string[][] = [
  ["request.host", "test.local"],
  ["request.method", "GET"],
  ["request.path", "/a b"],
  ["request.url_path", "/a b?k=v&&k=w;e&p%20q=1%2B2+3&bad=%zz"],
  ['request.query_params["k"]', "v"],
  ['request.query_params["e"] + "."', "."],
  ['request.query_params["p q"]', "1+2 3"],
  ["request.query_params.bad", "%zz"],
  ["request.query_params.none | request.headers.a", "b"],
  ["string(has(request.query_params.p))", "false"],
  ["string(request.size)", "11"],
  ["string(request.total_size)", "120"],
  ["string(request.time)", "2021-03-04T05:06:07.008Z"],
  ["string(response.code)", "0"],
  ["string(has(response.headers))", "false"],
  ["string(response.size + response.total_size)", "68"],
  ["context.protocol", "http"],
  ["string(origin.ip)", "10.0.0.1"],
  ["string(destination.ip)", "10.0.0.2"],
  ["string(destination.port)", "12200"],
  ["context.reporter.kind", "outbound"],
  ["destination.service.host", "reviews.default.svc.cluster.local"],
  ["destination.service.name", "reviews"],
  ["destination.service.namespace", "default"],
  ['source.uid | "none"', "none"],
];

describe("dsl", () => {
  test("knows the request", () => {
    for (let i = 0; i < VALUES.length; i++) expect(valueOf(request(), VALUES[i][0])).toBe(VALUES[i][1], VALUES[i][0]);
  });

  test("knows what time it is", () => {
    const handler = request();
    // The clock of these specs counts from a moment in the past.
    handler.began = 1;
    const same = "response.time > request.time && response.time - request.time == response.duration";
    expect(valueOf(handler, `string(${same} && response.duration > "1ms")`)).toBe("true");
  });

  test("says so where there is nothing", () => {
    const names: string[] = ["request.host", "request.path", "request.url_path", "destination.service.name"];
    for (let i = 0; i < names.length; i++) {
      expect(valueOf(new TestHandler(), `string(has(${names[i]})) + ${names[i]}`)).toBe("false", names[i]);
    }
    expect(valueOf(new TestHandler(), "string(origin.ip) + string(destination.ip)")).toBe("<nil><nil>");
    expect(valueOf(new TestHandler(), "string(request.time) + string(response.duration)")).toBe(
      "1970-01-01T00:00:00Z0s",
    );
    expect(valueOf(new TestHandler(), "context.protocol")).toBe("http");
  });

  test("other protocols, addresses and clusters", () => {
    const handler = request();
    handler.with("protocol", "Http2");
    expect(valueOf(handler, "context.protocol")).toBe("h2");
    handler.with("protocol", "bolt");
    expect(valueOf(handler, "context.protocol")).toBe("bolt");
    handler.address = Bytes.of("[2001:db8::1]:80");
    expect(valueOf(handler, "string(destination.ip) + string(destination.port)")).toBe("2001:db8::180");
    handler.address = Bytes.of("somewhere");
    expect(valueOf(handler, "string(has(destination.port) || has(destination.ip))")).toBe("false");
    const clusters: string[][] = [
      ["outbound|80||a.b", "a.b."],
      ["upstream", "."],
      ["a|b|c|d|e", "."],
      ["|||", "."],
    ];
    for (let i = 0; i < clusters.length; i++) {
      handler.cluster = Bytes.of(clusters[i][0]);
      expect(valueOf(handler, 'destination.service.host + "." + destination.service.name')).toBe(clusters[i][1]);
    }
  });

  test("changes responses, once there is one", () => {
    const all = chain(
      "send_filter_by_dsl",
      `conditional(response.headers["dsl0"] == "dsl0", ctx.add_response_header("dsl1", string(response.code)), false) &&
        ctx.del_response_header("dsl0")`.replaceAll("\n", " "),
    );
    const handler = request();
    handler.response = new HeaderList();
    handler.responseCode = 200;
    const headers = handler.response as HeaderList;
    const name = Bytes.of("dsl0");
    headers.add(name.ptr, name.length, name.ptr, name.length);
    expect(all.send(handler)).toBe(FilterStatus.CONTINUE);
    expect(handler.textOf(headers)).toBe("dsl1: 200");
    expect(handler.failures.length).toBe(0);
    all.reset();
    expect(all.send(handler)).toBe(FilterStatus.CONTINUE);
    expect(handler.failures.length).toBe(1);
  });

  test("counts what fails, in the log too", () => {
    const all = chain("log_filter_by_dsl", 'request.headers["x"] == "y"');
    const handler = request();
    all.log(handler);
    all.log(handler);
    expect(handler.failures.length).toBe(2);
    handler.header("x", "y");
    all.log(handler);
    expect(handler.failures.length).toBe(2);
  });

  test("what cannot be changed is false", () => {
    const handler = request();
    expect(valueOf(handler, 'string(ctx.add_response_header("a", "b"))')).toBe("false");
    expect(valueOf(handler, 'string(ctx.del_response_header("a"))')).toBe("false");
    expect(valueOf(handler, 'string(ctx.add_request_header("", "b"))')).toBe("false");
    expect(handler.headerText).toBe("a: b");
  });

  test("looks at no bodies, and names the phases of all configurations", () => {
    expect(dsl.needsRequestBody || dsl.needsResponseBody).toBe(false);
    chain("before_router_by_dsl", "true");
    expect((dsl.phases & bit(Phase.BEFORE_ROUTE)) != 0).toBe(true);
    expect(dsl.phases & ~((1 << (Phase.ACCESS_LOG + 1)) - 1)).toBe(0);
  });
});
