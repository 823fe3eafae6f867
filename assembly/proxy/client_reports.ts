import { Bytes } from "../bytes/bytes";
import { LimitedLog } from "../host/log";
import { labelOf } from "../bytes/name_table";
import { View } from "../bytes/view";
import { Metric, Metrics } from "../host/metrics";
import { enterContext } from "../host/stream";
import { ClusterChoice } from "../router/clusters";
import { Codec } from "../xprotocol/codec";
import { Frame, FrameKind } from "../xprotocol/frame";
import { FrameInput } from "./frame_input";
import { ConnectionInfo } from "./connection_info";

const UPSTREAM_HOST = Bytes.of("upstream_host");

const name = new View();

/** Counts what clients do wrong, and logs it where there are not too many lines already. `now`: the module's time, ms. */
export class ClientReports {
  private readonly refusals: Metric;
  private readonly refusalLines: LimitedLog = new LimitedLog();
  private readonly forbiddenLines: LimitedLog = new LimitedLog();
  private readonly lostChangeLines: LimitedLog = new LimitedLog();

  constructor(metrics: Metrics) {
    this.refusals = metrics.counter("moe.refused_connections");
  }

  /** A client sent what is refused. */
  refused(client: ConnectionInfo, why: Bytes, now: i64): void {
    this.refusals.add(1);
    enterContext(client.context);
    if (!this.refusalLines.allows(now, client.sourceHost)) return;
    this.refusalLines.warn(`moe-wasm: client ${client.sourceAddress.toString()}: ${why.toString()}`);
  }

  /** A request names a cluster that it may not. */
  forbiddenCluster(client: ConnectionInfo, choice: ClusterChoice, now: i64): void {
    enterContext(client.context);
    if (!this.forbiddenLines.allows(now, client.sourceHost)) return;
    const who = `client ${client.sourceAddress.toString()} names cluster ${choice.name.toString()}`;
    this.forbiddenLines.warn(`moe-wasm: ${who}, which no route and neither clusters nor allowed_clusters has`);
  }

  /**
   * A frame cannot carry what rules or filters have changed of the message that `input` is bound to.
   * @param strict the message is refused; else its changes are lost
   */
  lostChange(client: ConnectionInfo, codec: Codec, frame: Frame, input: FrameInput, strict: bool, now: i64): void {
    if (!this.lostChangeLines.allows(now, client.sourceHost)) return;
    const answer = frame.kind == FrameKind.RESPONSE;
    if (!answer) input.path(name);
    else if (!input.variable(UPSTREAM_HOST, name)) name.set(0, 0);
    const what = `${codec.name} ${answer ? "response of" : "request"} ${labelOf(name)}`;
    const why = codec.refusal.toString();
    const end = strict ? "it is refused" : "its changes are lost";
    this.lostChangeLines.warn(`moe-wasm: client ${client.sourceAddress.toString()}: ${what}: ${why}; ${end}`);
  }
}
