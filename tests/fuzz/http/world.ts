import { type Callout, HeaderMap, Host, type HttpRoute } from "../../host/kit/index.ts";
import { httpFilters } from "../chains.ts";
import { checkEmpty, Finding } from "../epoch.ts";
import type { HttpEvent } from "./events.ts";
import { CLEAN, Exchange, ID } from "./exchange.ts";

/** The filter chain under one setting of Envoy's: what happens is events, which a seed can repeat. */
export class World {
  exchanges: Exchange[] = [];
  /** Copies of requests, in the order in which they came. */
  copies: Callout[] = [];

  private constructor(readonly host: Host) {
    host.routes = routeOf;
    host.callouts.clusters = new Set(["upstream", "shadow"]);
    host.callouts.onCallout = (copy) => this.onCopy(copy);
    host.onRequest = (request) => {
      const exchange = this.exchanges[Number(request.headers.get(ID))];
      if (exchange === undefined) throw new Finding(`a server got a request without its ${ID}`);
      if (exchange.server !== null) throw new Finding(`exchange ${exchange.number} came to a server twice`);
      exchange.server = request;
    };
  }

  /** @param allow allow_on_headers_stop_iteration; @param told whether the module's configuration says so */
  static async start(module: string, allow: boolean, told: boolean): Promise<World> {
    const field = told ? { allow_on_headers_stop_iteration: allow } : {};
    const config = { stream_filters: httpFilters(), ...field };
    return new World(await Host.start({ module, root: "http", config, allowOnHeadersStopIteration: allow }));
  }

  /** A new round begins. */
  clear(): void {
    this.exchanges = [];
    this.copies = [];
    this.host.log.lines.length = 0;
  }

  /** Has an event happen; one that cannot any more does nothing. */
  act(event: HttpEvent): void {
    switch (event[0]) {
      case "request":
        return this.request(event);
      case "advance":
        return this.host.advance(event[1]);
      case "callout":
        return this.answerCopy(this.copies[event[1]], event[2]);
      case "healthy":
        if (event[2]) this.host.callouts.unhealthy.delete(event[1]);
        else this.host.callouts.unhealthy.add(event[1]);
        return;
      case "write":
      case "trailers":
      case "cancel":
        return send(this.exchanges[event[1]], event);
      case "answer":
      case "data":
      case "end":
      case "fail":
        return answer(this.exchanges[event[1]], event);
    }
  }

  private request([, number, protocol, bufferLimit, pairs, end]: RequestEvent): void {
    const map = new HeaderMap(pairs, "latin1");
    const exchange = new Exchange(number, map.get(CLEAN) !== null, map.get(":method") === "HEAD");
    exchange.sentEnd = end;
    this.exchanges[number] = exchange; // before the request comes to a server
    exchange.client = this.host.request({ map, protocol, bufferLimit, open: !end });
  }

  private onCopy(copy: Callout): void {
    this.copies.push(copy);
    const exchange = this.exchanges[Number(copy.sent.headers.get(ID))];
    if (exchange === undefined) throw new Finding("a copy of no request");
    if (!exchange.sentEnd) throw new Finding(`a copy of exchange ${exchange.number}, which is not complete`);
    if (!copy.body.equals(Buffer.concat(exchange.sent))) throw new Finding("a copy has another body than its request");
  }

  private answerCopy(copy: Callout | undefined, how: "respond" | "break" | "local"): void {
    if (copy === undefined || copy.ended) return;
    if (how === "respond") copy.respond({ status: 200, body: "x".repeat(100) });
    else if (how === "break") copy.fail();
    else copy.answerLocally(503, "no healthy upstream");
  }

  /** All is over: nothing is left of the round. */
  checkEnd(): void {
    const { host } = this;
    host.forgetClosed();
    checkEmpty(host, ["http.active"]);
    if (host.vm.contexts.size !== 1) throw new Finding(`${host.vm.contexts.size - 1} contexts are left`);
  }

  /** No copy is under way, so none is counted. */
  checkCopies(): void {
    checkEmpty(this.host, ["mirror.active", "callouts.active"]);
  }
}

type RequestEvent = Extract<HttpEvent, ["request", ...unknown[]]>;

/** The client's part of an exchange. */
function send(exchange: Exchange | undefined, event: HttpEvent & { 0: "write" | "trailers" | "cancel" }): void {
  if (exchange === undefined || exchange.over || exchange.sentEnd) {
    if (event[0] === "cancel" && exchange?.over === false) cancel(exchange);
    return;
  }
  if (event[0] === "cancel") return cancel(exchange);
  exchange.sentEnd = event[0] === "trailers" || event[3];
  if (event[0] === "trailers") return exchange.client.sendTrailers(new HeaderMap(event[2], "latin1").entries);
  const bytes = Buffer.from(event[2], "hex");
  exchange.sent.push(bytes);
  exchange.client.write(bytes, event[3]);
}

function cancel(exchange: Exchange): void {
  exchange.cancelled = true;
  exchange.client.cancel();
}

/** The server's part of an exchange. */
function answer(exchange: Exchange | undefined, event: HttpEvent & { 0: "answer" | "data" | "end" | "fail" }): void {
  if (exchange === undefined || !exchange.serverFree || exchange.server === null) return;
  const { server } = exchange;
  if ((event[0] === "data" || event[0] === "end") && !exchange.answering) return;
  switch (event[0]) {
    case "answer":
      exchange.answering = true;
      exchange.answeredEnd = event[3];
      return server.sendMap(new HeaderMap(event[2], "latin1"), event[3]);
    case "data": {
      const bytes = Buffer.from(event[2], "hex");
      exchange.answered.push(bytes);
      exchange.answeredEnd = event[3];
      return server.write(bytes, event[3]);
    }
    case "end":
      exchange.answeredEnd = true;
      return server.sendTrailers(event[2]);
    case "fail":
      exchange.failed = true;
      return server.fail();
  }
}

/** Routes by a header of the client's: none, other ones, with configurations of their own that are good, bad, or the client's. */
function routeOf(headers: HeaderMap): HttpRoute | null {
  const by = headers.get("x-route") ?? "";
  const own = (type: string, config: string): HttpRoute => ({ name: "own", metadata: { moe: { [type]: config } } });
  if (by.startsWith("t:")) return own("fault", by.slice(2));
  switch (by) {
    case "none":
      return null;
    case "off":
      return own("payload_limit", '{"max_entity_size": 0}');
    case "broken":
      return own("fault", "{");
    case "guard":
      return own("ip_access", "[]");
    case "slow":
      return own("fault", '{"delay": {"fixed_delay": "50ms", "percentage": 100}}');
    case "copied":
      return own("mirror", '{"cluster": "shadow", "percent": 100}');
    case "other":
      return { name: "other", cluster: "other" };
    default:
      return { name: "all" };
  }
}
