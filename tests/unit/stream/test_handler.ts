// A request without a proxy, for specs of filters: what filters did to it can be read off.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { labelOf } from "../../../assembly/bytes/name_table";
import { View } from "../../../assembly/bytes/view";
import { Callouts, CalloutShare } from "../../../assembly/host/callout";
import { Route } from "../../../assembly/router/route";
import { FilterChain } from "../../../assembly/stream/chain";
import { FilterConfig, FilterType } from "../../../assembly/stream/filter";
import { Part, StreamHandler } from "../../../assembly/stream/handler";
import { Identity } from "../../../assembly/stream/identity";
import { LabelSet } from "../../../assembly/stream/labels";
import { FilterMetric, FilterMetrics, FilterMetricTable, NamedMetrics } from "../../../assembly/stream/metrics";
import { FilterStatus, Phase } from "../../../assembly/stream/phase";
import { UpstreamHost } from "../../../assembly/stream/upstream_host";
import { VariableTable } from "../../../assembly/stream/variables";
import { Waiting } from "../../../assembly/stream/waiting";
import { Headers, HeaderVisitor } from "../../../assembly/message/headers";
import { HeaderList } from "../../../assembly/message/list";
import { Payload, Serialization } from "../../../assembly/message/payload";

const PATH = Bytes.of("x-mosn-path");

function point(bytes: Bytes, out: View): bool {
  out.set(bytes.ptr, bytes.length);
  return bytes.length > 0;
}

/** Gathers headers as lines "key: value". */
class Lines extends HeaderVisitor {
  readonly lines: string[] = [];

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    this.lines.push(String.UTF8.decodeUnsafe(key, keyLength) + ": " + String.UTF8.decodeUnsafe(value, valueLength));
    return true;
  }
}

/** The numbers for one pair of names. */
class TestNamed extends NamedMetrics {
  constructor(
    private readonly metrics: TestMetrics,
    private readonly names: string[],
    private readonly prefix: string,
  ) {
    super();
  }

  count(at: i32, delta: i64): void {
    this.metrics.add(this.prefix + this.names[at], delta);
  }

  record(at: i32, value: i64): void {
    this.count(at, value);
  }
}

/** What filters have counted, by name. */
export class TestMetrics extends FilterMetrics {
  private readonly values: Map<string, i64> = new Map<string, i64>();

  /** The value of a counter or gauge; of a histogram the sum. */
  value(name: string): i64 {
    return this.values.has(name) ? this.values.get(name) : 0;
  }

  add(name: string, delta: i64): void {
    this.values.set(name, this.value(name) + delta);
  }

  count(metric: FilterMetric, delta: i64): void {
    this.add(metric.name, delta);
  }

  record(metric: FilterMetric, value: i64): void {
    this.count(metric, value);
  }

  countNamed(table: FilterMetricTable, first: View, second: View, counter: i32): void {
    this.named(table, first, second).count(counter, 1);
  }

  named(table: FilterMetricTable, first: View, second: View): NamedMetrics {
    const names = table.counters.concat(table.gauges).concat(table.histograms);
    return new TestNamed(this, names, table.prefix(labelOf(first), labelOf(second)));
  }
}

/** Callouts that go nowhere: none is begun. */
class NoCallouts extends Waiting {
  protected get callouts(): Callouts | null {
    return null;
  }
  protected get context(): u32 {
    return 0;
  }
  protected get share(): CalloutShare | null {
    return null;
  }
  protected startTimer(ms: i32): void {}
  protected stopTimer(): void {}
  resume(): void {}
}

export class TestHandler extends StreamHandler {
  readonly counted: TestMetrics;
  readonly headers: HeaderList = new HeaderList();
  readonly labels: LabelSet = new LabelSet();
  readonly variables: VariableTable = new VariableTable();
  readonly body: ByteBuffer = new ByteBuffer();
  /** What the body is written in. */
  serialization: Serialization = Serialization.HESSIAN_ANY;
  source: Bytes = Bytes.EMPTY;
  /** Whether the client has a certificate, and what its connection says: by `Identity`, empty where it says nothing. */
  certified: bool = false;
  readonly identities: string[] = ["", "", "", ""];
  /** The host, "IP:PORT"; empty: not known yet. */
  address: Bytes = Bytes.EMPTY;
  /** When the request came, ns since 1970, and bytes of all of it, and of the response. */
  began: i64 = 0;
  requestSize: i64 = 0;
  responseSize: i64 = 0;
  /** The response's headers; null: there is none yet. */
  response: HeaderList | null = null;
  cluster: Bytes = Bytes.EMPTY;
  /** Null: not known yet, or none matched. */
  route: Route | null = null;
  /** Whether a filter has answered, with `responseCode` and this text. */
  answered: bool = false;
  answer: string = "";
  /** All waits together, ms. */
  waited: i32 = 0;
  /** Names of the types that counted a failure. */
  readonly failures: string[] = [];
  /** The host that the request was sent to. */
  host: UpstreamHost | null = null;
  /** The route's mirror policy, and what was mirrored: the copies asked for at each time. */
  percent: i32 = 0;
  readonly mirrored: i32[] = [];
  /** The same of copies for a cluster: "COPIES to CLUSTER". */
  readonly mirroredTo: string[] = [];
  private readonly view: View = new View();
  private readonly calls: NoCallouts = new NoCallouts();

  get waiting(): Waiting {
    return this.calls;
  }

  constructor() {
    const counted = new TestMetrics();
    super(counted);
    this.counted = counted;
  }

  header(name: string, value: string): TestHandler {
    const key = Bytes.of(name);
    const bytes = Bytes.of(value);
    this.headers.add(key.ptr, key.length, bytes.ptr, bytes.length);
    return this;
  }

  /** Sets a variable. */
  with(name: string, value: string): TestHandler {
    const bytes = Bytes.of(value);
    this.variables.set(Bytes.of(name), bytes.ptr, bytes.length);
    return this;
  }

  /** Gives the request a body of so many bytes. */
  withBody(length: i32): TestHandler {
    this.body.clear();
    for (let i = 0; i < length; i++) this.body.appendByte(i);
    return this;
  }

  /** Gives the request this body, in hex. */
  withBytes(text: string): TestHandler {
    this.body.clear();
    for (let i = 0; i + 1 < text.length; i += 2) this.body.appendByte(U32.parseInt(text.substr(i, 2), 16));
    return this;
  }

  /** The headers, one "key: value" a line. */
  get headerText(): string {
    return this.textOf(this.headers);
  }

  /** The same of any headers. */
  textOf(headers: Headers): string {
    const lines = new Lines();
    headers.forEach(lines);
    return lines.lines.join("\n");
  }

  /** The variable x-mosn-path. */
  get pathText(): string {
    return this.variable(PATH, this.view) ? String.UTF8.decodeUnsafe(this.view.ptr, this.view.length) : "";
  }

  /** The labels, one "key: value" a line, sorted by key. */
  get labelText(): string {
    const lines: string[] = [];
    for (let i = 0; i < this.labels.count; i++) {
      this.labels.value(i, this.view);
      const value = String.UTF8.decodeUnsafe(this.view.ptr, this.view.length);
      lines.push(this.labels.key(i).toString() + ": " + value);
    }
    return lines.join("\n");
  }

  /** Takes the request through a phase, waits and all, as the proxy does; returns the last status. */
  run(chain: FilterChain, phase: Phase): FilterStatus {
    let status = chain.receive(this, phase);
    while (status == FilterStatus.WAIT) status = chain.resume(this, phase);
    return status;
  }

  get requestHeaders(): Headers | null {
    return this.headers;
  }
  get responseHeaders(): Headers | null {
    return this.response;
  }
  requestBody(out: View): void {
    out.set(this.body.ptr, this.body.length);
  }
  payload(out: Payload): bool {
    out.begin(this.body.length > 0 ? this.serialization : Serialization.NONE);
    out.stream.set(this.body.ptr, this.body.length);
    return true;
  }
  setRequestBody(ptr: usize, length: i32): void {
    this.body.clear();
    this.body.append(ptr, length);
  }
  responseBody(out: View): void {
    out.set(0, 0);
  }
  setResponseBody(ptr: usize, length: i32): void {}
  hijack(code: i32, body: Bytes): void {
    this.answered = true;
    this.responseCode = code;
    this.answer = body.toString();
  }
  terminate(code: i32): bool {
    return false;
  }
  routeConfig(type: FilterType): FilterConfig | null {
    const route = this.route;
    return route === null ? null : route.filterConfigs.get(type);
  }
  routeName(out: View): bool {
    const route = this.route;
    return route !== null && point(route.label, out);
  }
  clusterName(out: View): bool {
    return point(this.cluster, out);
  }
  hostAddress(out: View): bool {
    return point(this.address, out);
  }
  sourceAddress(out: View): bool {
    return point(this.source, out);
  }
  get hasCertificate(): bool {
    return this.certified;
  }
  identity(what: Identity, out: View): bool {
    return point(Bytes.of(this.identities[what]), out);
  }
  get startTime(): i64 {
    return this.began;
  }
  size(part: Part): i64 {
    if (part > Part.REQUEST) return this.responseSize;
    return part == Part.REQUEST ? this.requestSize : (this.body.length as i64);
  }
  get upstreamHost(): UpstreamHost | null {
    return this.host;
  }
  get mirrorPercent(): i32 {
    return this.percent;
  }
  mirror(copies: i32): void {
    this.mirrored.push(copies);
  }
  mirrorTo(cluster: Bytes, copies: i32): void {
    this.mirroredTo.push(`${copies} to ${cluster.toString()}`);
  }
  variable(name: Bytes, out: View): bool {
    return this.variables.get(name, out);
  }
  setVariable(name: Bytes, value: usize, length: i32): bool {
    return this.variables.set(name, value, length);
  }
  setLabel(key: Bytes, value: usize, length: i32): bool {
    return this.labels.set(key, value, length);
  }
  countFailure(type: FilterType): void {
    this.failures.push(type.name);
  }
  wait(ms: i32): void {
    this.waited += ms;
  }
}
