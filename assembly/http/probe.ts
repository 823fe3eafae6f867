import { LogLevel } from "../abi/types";
import { Bytes } from "../bytes/bytes";
import { log } from "../host/log";
import { Part } from "../stream/handler";
import { ResponseFlag } from "../stream/phase";
import { HeaderHold } from "./config";
import { HttpStream } from "./stream";

/** How long a request is held whose body does not come, ms. */
const GIVE_UP_MS: i64 = 1000;
/** How long a request that was held in vain may stand still afterwards, ms. */
const STALL_MS: i32 = 10000;
const CODE_TOO_LARGE: i32 = 413;
const TOO_LARGE = Bytes.of("the body is too large, or does not come");

const enum ProbeState {
  /** The request is not held, or it is known that it can be. */
  IDLE,
  /** Its headers are held: the body comes to the module, or Envoy keeps it back. */
  WATCHING,
  /** They have been released, because the body did not come. */
  RELEASED,
}

/**
 * Finds out whether headers can be held until the body is complete. A module is not told Envoy's setting for it
 * (`allow_on_headers_stop_iteration`), and without it a stop at the headers keeps the body away as well, for ever. So the
 * first request that is held for its body is watched. If a piece of the body comes, headers can be held. If Envoy has
 * received bytes and does not hand them over, they cannot: the headers are released, the body follows, and so it is done
 * for all requests from then on. If neither happens within a second, the client is slow: its headers are released, and the
 * next request tells. What gathered while Envoy stopped everything can be above its limit: then the rest never comes
 * (docs/reference/envoy.md#stopped-bodies), and the request is answered with 413 after ten seconds without a piece.
 */
export class BodyProbe {
  private state: ProbeState = ProbeState.IDLE;
  /** Bytes of the request that Envoy had when the watch began, and when that was, ms. */
  private bytes: i64 = 0;
  private since: i64 = 0;

  constructor(private readonly stream: HttpStream) {}

  /** The headers are held. */
  watch(): void {
    const stream = this.stream;
    this.state = ProbeState.WATCHING;
    this.bytes = stream.size(Part.REQUEST);
    this.since = stream.plugin.now();
    stream.timer.start(0);
  }

  /** A piece of the body has come, and more is to come. */
  onPiece(): void {
    if (this.state == ProbeState.RELEASED) this.stream.timer.start(STALL_MS);
    else if (this.state == ProbeState.WATCHING) this.stream.timer.stop();
  }

  /** Looks again; in a tick, with the stream as the effective context. */
  onTurn(): void {
    if (this.state == ProbeState.RELEASED) this.refuse();
    else if (this.state == ProbeState.WATCHING && this.stream.plugin.hold != HeaderHold.ALLOWED) this.look();
  }

  private look(): void {
    const stream = this.stream;
    const plugin = stream.plugin;
    const keptBack = plugin.hold == HeaderHold.REFUSED || stream.size(Part.REQUEST) > this.bytes;
    if (!keptBack && plugin.now() - this.since < GIVE_UP_MS) {
      stream.timer.start(0);
      return;
    }
    if (keptBack && plugin.hold == HeaderHold.UNKNOWN) this.learnRefused();
    this.state = ProbeState.RELEASED;
    stream.releaseRequestHeaders();
    stream.timer.start(STALL_MS);
  }

  private learnRefused(): void {
    this.stream.plugin.hold = HeaderHold.REFUSED;
    log(
      LogLevel.WARN,
      "moe-wasm: allow_on_headers_stop_iteration is not set: where a filter looks at bodies, headers of requests " +
        "cannot be changed by it and those after it",
    );
  }

  private refuse(): void {
    const stream = this.stream;
    stream.flags |= ResponseFlag.REQ_ENTITY_TOO_LARGE;
    stream.hijack(CODE_TOO_LARGE, TOO_LARGE);
    stream.sendAnswer();
  }

  /** Forgets the request. */
  end(): void {
    this.state = ProbeState.IDLE;
  }
}
