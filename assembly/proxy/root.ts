import { Context } from "../abi/context";
import { View } from "../bytes/view";
import { ConfigErrors } from "../config/errors";
import { Metrics } from "../host/metrics";
import { random } from "../host/random";
import { Ticker } from "../host/ticker";
import { FilterRegistry } from "../stream/registry";
import { declareKeys } from "../tunnel/key";
import { CodecRegistry } from "../xprotocol/registry";
import { Client } from "./client";
import { ProxyConfig } from "./config";
import { DownstreamConnection, WORK_OF_TICK } from "./downstream_connection";
import { NoClient } from "./no_client";
import { Services } from "./services";

/** Connections flushed in one tick: each flush re-enters Envoy, and they nest (docs/reference/envoy.md#pushing). */
const MAX_FLUSHES: i32 = 16;

/** The plugin `proxy`: MOSN's proxy for the connections of one listener configuration in one worker. */
export class ProxyRoot extends Services {
  private readonly nobody: Client = new NoClient(this);

  /**
   * @param registry the codecs that are compiled in
   * @param filters the stream filters that are compiled in, of those for this root
   */
  constructor(
    id: u32,
    private readonly registry: CodecRegistry,
    private readonly filters: FilterRegistry,
  ) {
    super(id, new Metrics(new Ticker()), registry.all(), ProxyConfig.defaults(registry.names, filters));
  }

  protected configure(text: View, errors: ConfigErrors): bool {
    const config = ProxyConfig.parse(text.ptr, text.length, errors, this.registry.names, this.filters, random());
    if (config === null) return false;
    declareKeys();
    const chosen = this.registry.select(config.protocols);
    this.adopt(config, chosen !== null ? chosen : this.registry.all());
    return true;
  }

  createContext(id: u32): Context {
    this.chains.onConnection();
    return new DownstreamConnection(id, this, this.nobody);
  }

  protected runDue(): bool {
    this.work = WORK_OF_TICK;
    return this.ticks.run(MAX_FLUSHES);
  }
}
