import { noteGarbage } from "../abi/dispatch";
import { Context } from "../abi/context";
import { Bytes } from "../bytes/bytes";
import { labelOf } from "../bytes/name_table";
import { Spares } from "../bytes/spares";
import { View } from "../bytes/view";
import { ConfigErrors } from "../config/errors";
import { hostOf, LimitedLog } from "../host/log";
import { FilterRegistry } from "../stream/registry";
import { HttpConfig } from "./config";
import { HttpContext, HttpStreams } from "./context";
import { HttpExchange } from "./exchange";

/** Streams that go on in one tick: what follows in Envoy nests, and its stack is not endless (docs/reference/envoy.md#pushing). */
const MAX_RESUMED: i32 = 16;
/** Streams kept for reuse; and managed objects of one that is garbage. */
const KEEP: i32 = 4096;
const OBJECTS_PER_STREAM: i32 = 48;
const PATH = Bytes.of(":path");

const text = new View();

/** The plugin `http`: MOSN's stream filters on the HTTP streams of one filter configuration in one worker. */
export class HttpRoot extends HttpStreams {
  private readonly lostLines: LimitedLog = new LimitedLog();
  private readonly spares: Spares<HttpExchange> = new Spares<HttpExchange>(KEEP);

  constructor(
    id: u32,
    private readonly filters: FilterRegistry,
  ) {
    super(id);
  }

  protected configure(text: View, errors: ConfigErrors): bool {
    const config = HttpConfig.parse(text.ptr, text.length, errors, this.filters);
    if (config === null) return false;
    this.chains = config.chains;
    this.setsLabels = config.chains.setsLabels;
    this.hold = config.hold;
    this.strictChanges = config.strictChanges;
    this.minCountedTimeoutMs = config.minCountedTimeoutMs;
    return true;
  }

  createContext(id: u32): Context {
    return new HttpContext(id, this);
  }

  take(): HttpExchange {
    const stream = this.spares.take();
    return stream === null ? new HttpExchange(this) : stream;
  }

  give(stream: HttpExchange): void {
    stream.end();
    if (this.spares.keep(stream)) return;
    stream.free();
    noteGarbage(OBJECTS_PER_STREAM);
  }

  /** A line in the log if there are not too many. */
  lostChanges(stream: HttpExchange): void {
    const known = stream.properties.source.read(text);
    if (!this.lostLines.allows(this.now(), known ? hostOf(text.ptr, text.length) : 0)) return;
    const client = known ? labelOf(text) : "";
    const path = stream.request.headers.find(PATH, text) ? labelOf(text) : "";
    const end = this.strictChanges ? "" : "; they are lost";
    const what = `${stream.lost} changes came too late, or HTTP cannot carry them`;
    this.lostLines.warn(`moe-wasm: client ${client}: http request ${path}: ${what}${end}`);
  }

  /** Calls streams whose turn has come, as many as one tick may. */
  protected runDue(): bool {
    for (let i = 0; i < MAX_RESUMED; i++) {
      const turn = this.turns.take();
      if (turn === null) return false;
      turn.onTurn();
    }
    return !this.turns.empty;
  }
}
