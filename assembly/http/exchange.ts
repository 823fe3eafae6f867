import { DataStatus, HeadersStatus, StreamType } from "../abi/types";
import { Bytes } from "../bytes/bytes";
import { continueHttp, resetHttp, sendLocalResponse } from "../host/stream";
import { Code } from "../message/code";
import { bit, FilterStatus, Phase } from "../stream/phase";
import { HeaderHold } from "./config";
import { isFromServer } from "./live";
import { HttpMessage } from "./message";
import { HttpPlugin } from "./plugin";
import { BodyProbe } from "./probe";
import { FilterState, HttpStream } from "./stream";

/** Times that filters may have the route matched again (MOSN's). */
const MAX_PASSES: i32 = 10;

const TOO_MANY_PASSES = Bytes.of("filters ask for another route without end");
const OUT_OF_MEMORY = Bytes.of("out of buffer memory");

/** What follows for Envoy when the filters of a message have run. */
const enum Next {
  /** The message goes on. */
  PASS,
  /** It is held: a filter waits. */
  HOLD,
  /** It gathers: a filter needs the body, which is not all here. */
  GATHER,
  /** It was answered, or reset. */
  END,
}

/** MOSN's request state machine (docs/reference/mosn.md#request) in the callbacks of an Envoy HTTP filter. */
export class HttpExchange extends HttpStream {
  /** The request's headers went on while its body is still gathered. */
  private late: bool = false;
  /** Headers are stopped in a way that pieces of the body come all the same. */
  private bodyComes: bool = false;
  private readonly probe: BodyProbe = new BodyProbe(this);

  constructor(plugin: HttpPlugin) {
    super(plugin);
  }

  /** The headers of a request are here. */
  onRequestHeaders(): HeadersStatus {
    const next = this.runRequest(this.receive());
    if (next != Next.GATHER) return this.headersStatus(next);
    if (this.plugin.hold == HeaderHold.REFUSED) {
      this.goLate();
      return HeadersStatus.CONTINUE;
    }
    if (this.plugin.hold == HeaderHold.UNKNOWN) this.probe.watch();
    return HeadersStatus.STOP_ITERATION;
  }

  /**
   * The answer for headers whose filters have run. Where one waits and another one looks at the body, that gathers: beside
   * the headers where Envoy allows it, or else where a body above the limit is an error, because what has gathered under
   * STOP_ALL_AND_WATERMARK would never be one, and hang. Another protocol's bytes never gather: a filter does not look at
   * them, and who is told of a piece too many loses it (`HttpMessage.release`).
   */
  private headersStatus(next: Next): HeadersStatus {
    if (next == Next.PASS) return HeadersStatus.CONTINUE;
    const reads = next == Next.HOLD && this.readsBody() && !this.isTunnel;
    this.bodyComes = reads && this.plugin.hold == HeaderHold.ALLOWED;
    if (!reads) return HeadersStatus.STOP_ALL_AND_WATERMARK;
    return this.bodyComes ? HeadersStatus.STOP_ITERATION : HeadersStatus.STOP_ALL_AND_BUFFER;
  }

  /** The request's headers go on while its body gathers: from here on they can be read, not changed. */
  private goLate(): void {
    this.late = true;
    this.applyChanges();
    this.request.headers.freeze();
  }

  /** `size` bytes of the request's body are here, all that have gathered. */
  onRequestBody(size: i32, ended: bool): DataStatus {
    if (this.requestState == FilterState.PASSED) {
      const left = this.request.piece(size);
      this.mirrors.onPiece(left, ended);
      return this.isAbandoned ? DataStatus.STOP_AND_BUFFER : DataStatus.CONTINUE;
    }
    this.learnAllowed();
    this.request.gathered(size, ended);
    if (ended) this.mirrors.onWhole();
    if (this.requestState == FilterState.COLLECTING) {
      if (ended) return dataStatus(this.runComplete());
      this.probe.onPiece();
    }
    return DataStatus.STOP_AND_BUFFER;
  }

  /** The request's trailers are here: its body is complete. */
  onRequestTrailers(): DataStatus {
    this.request.hasTrailers = true;
    if (this.requestState == FilterState.PASSED) {
      this.mirrors.onTrailers();
      return this.isAbandoned ? DataStatus.STOP_AND_BUFFER : DataStatus.CONTINUE;
    }
    this.learnAllowed();
    this.request.ended();
    this.mirrors.onWhole();
    return this.requestState == FilterState.COLLECTING ? dataStatus(this.runComplete()) : DataStatus.STOP_AND_BUFFER;
  }

  /** A piece of the body of a request has come that is held: then it can be. */
  private learnAllowed(): void {
    const plugin = this.plugin;
    if (!this.late && plugin.hold == HeaderHold.UNKNOWN) plugin.hold = HeaderHold.ALLOWED;
  }

  private runComplete(): Next {
    this.timer.stop();
    return this.request.lacksMemory ? this.refuseBody() : this.runRequest(this.receive());
  }

  private runCompleteResponse(): Next {
    return this.response.lacksMemory ? this.refuseBody() : this.runResponse(this.send(true));
  }

  /** Answers where filters would look at a body, and there is no memory for it: none is bypassed. */
  private refuseBody(): Next {
    this.hijack(Code.UPSTREAM_OVERFLOW, OUT_OF_MEMORY);
    return this.answer();
  }

  /** Takes a request on from the phase that it is in, whose filters have given `first`. */
  private runRequest(first: FilterStatus): Next {
    let status = first;
    for (let pass = 0; pass < MAX_PASSES;) {
      if (status == FilterStatus.TERMINATION) return this.reset(StreamType.HTTP_REQUEST);
      if (this.answered || this.refuse()) return this.answer();
      switch (status) {
        case FilterStatus.WAIT:
          this.requestState = FilterState.HELD;
          this.waiting.begin();
          return Next.HOLD;
        case FilterStatus.NEEDS_BODY:
          if (!this.isTunnel) {
            this.requestState = FilterState.COLLECTING;
            return Next.GATHER;
          }
          this.request.pass();
          break;
        default:
          if (status == FilterStatus.REMATCH_ROUTE && this.phase == Phase.AFTER_ROUTE) {
            this.rematch();
            pass++;
          } else if (this.phase == Phase.AFTER_CHOOSE_HOST) {
            this.requestState = FilterState.PASSED;
            this.passRequest();
            return this.refuse() ? this.answer() : Next.PASS;
          } else this.phase++;
      }
      status = this.receive();
    }
    this.hijack(Code.INTERNAL_ERROR, TOO_MANY_PASSES);
    return this.answer();
  }

  sendAnswer(): void {
    this.answer();
  }

  /** Sends the answer that a filter has given. */
  private answer(): Next {
    this.answered = false;
    this.requestState = FilterState.PASSED;
    this.waiting.cancel();
    this.plugin.stats.localReplies.add(1);
    // In the place of a response no filter sees it any more (docs/reference/envoy.md#local-replies).
    if (this.hasResponse) {
      this.responseState = FilterState.PASSED;
      this.over = true;
    } else this.isLocal = true;
    const status = statusOf(this.responseCode);
    const hasBody = status != 204 && status != 304;
    sendLocalResponse(status, this.reply.ptr, hasBody ? this.reply.length : 0, this.why);
    return Next.END;
  }

  /** Ends the stream without an answer (MOSN's termination). */
  private reset(type: StreamType): Next {
    this.requestState = FilterState.PASSED;
    this.responseState = FilterState.PASSED;
    this.over = true;
    this.waiting.cancel();
    resetHttp(type);
    return Next.END;
  }

  giveUp(): void {
    this.plugin.stats.memoryShortages.add(1);
    this.mirrors.end();
    this.request.dropBody();
    this.response.dropBody();
    this.reset(StreamType.HTTP_REQUEST);
  }

  /** Whether the stream has been given up: nothing of it goes on any more. */
  get isAbandoned(): bool {
    return this.timer.isLeaving;
  }

  /** The headers of a response are here. */
  onResponseHeaders(ended: bool): HeadersStatus {
    if (this.over) return HeadersStatus.CONTINUE;
    this.responseEnded = ended;
    if (!this.isLocal) this.plugin.stats.responses.add(1);
    if (this.requestState != FilterState.PASSED) this.decideEarly();
    if (this.answered) {
      this.hasResponse = true;
      this.answer();
      return HeadersStatus.STOP_ALL_AND_WATERMARK;
    }
    const chains = this.plugin.chains;
    if ((chains.phases & bit(Phase.BEFORE_SEND)) == 0) {
      this.hasResponse = true;
      this.responseState = FilterState.PASSED;
      return HeadersStatus.CONTINUE;
    }
    this.beginResponse(ended);
    const next = this.runResponse(this.send(false));
    if (next != Next.GATHER) return this.headersStatus(next);
    if (this.plugin.hold == HeaderHold.ALLOWED) return HeadersStatus.STOP_ITERATION;
    this.response.headers.freeze();
    return HeadersStatus.CONTINUE;
  }

  /**
   * A response comes although the filters of the request are not through. When Envoy has answered, they are not asked any
   * more. Where the headers went to a server before the body was here, the server can be that early: then they decide on
   * what has come, so that none is bypassed; a wait makes no sense any more.
   */
  private decideEarly(): void {
    const held = this.requestState == FilterState.HELD;
    const early = this.late && (held || this.requestState == FilterState.COLLECTING) && isFromServer();
    this.waiting.hurry();
    this.requestState = FilterState.PASSED;
    this.request.pass();
    let waits = held;
    while (early && !this.answered && this.phase < Phase.BEFORE_SEND) {
      let status = waits ? FilterStatus.WAIT : this.receive();
      waits = false;
      for (let i = 0; i < MAX_PASSES && status == FilterStatus.WAIT && !this.answered; i++) status = this.resume();
      this.refuse();
      this.phase++;
    }
    this.waiting.hurried = false;
  }

  /** Does what the filters of a response want. */
  private runResponse(status: FilterStatus): Next {
    if (status == FilterStatus.TERMINATION) return this.reset(StreamType.HTTP_RESPONSE);
    if (this.answered || this.refuse()) return this.answer();
    switch (status) {
      case FilterStatus.WAIT:
        this.responseState = FilterState.HELD;
        this.waiting.begin();
        return Next.HOLD;
      case FilterStatus.NEEDS_BODY:
        if (this.isTunnel) {
          this.response.pass();
          return this.runResponse(this.send(true));
        }
        this.responseState = FilterState.COLLECTING;
        return Next.GATHER;
      default:
        this.responseState = FilterState.PASSED;
        this.response.forgetBody();
        return Next.PASS;
    }
  }

  /** `size` bytes of the response's body are here, all that have gathered. */
  onResponseBody(size: i32, ended: bool): DataStatus {
    const response = this.response;
    if (ended) this.responseEnded = true;
    if (this.responseState == FilterState.PASSED) {
      response.piece(size);
      return DataStatus.CONTINUE;
    }
    response.gathered(size, ended);
    if (!ended || this.responseState != FilterState.COLLECTING) return DataStatus.STOP_AND_BUFFER;
    return dataStatus(this.runCompleteResponse());
  }

  /** The response's trailers are here: its body is complete. */
  onResponseTrailers(): DataStatus {
    this.responseEnded = true;
    if (this.responseState == FilterState.PASSED) return DataStatus.CONTINUE;
    this.response.hasTrailers = true;
    this.response.ended();
    if (this.responseState != FilterState.COLLECTING) return DataStatus.STOP_AND_BUFFER;
    return dataStatus(this.runCompleteResponse());
  }

  onTurn(): void {
    if (this.waiting.awaitsAnswer) return;
    if (this.responseState == FilterState.HELD || this.requestState == FilterState.HELD) this.resumeHeld();
    else if (this.requestState == FilterState.COLLECTING) this.probe.onTurn();
  }

  resumeHeld(): void {
    if (this.responseState == FilterState.HELD) this.resumeResponse();
    else this.resumeRequest();
    this.measure();
  }

  private resumeResponse(): void {
    const next = this.runResponse(this.resume());
    if (next == Next.PASS) release(this.response, StreamType.HTTP_RESPONSE);
    else if (next == Next.GATHER && !this.bodyComes) {
      this.response.headers.freeze();
      release(this.response, StreamType.HTTP_RESPONSE);
    }
  }

  private resumeRequest(): void {
    const next = this.runRequest(this.resume());
    if (next == Next.PASS) release(this.request, StreamType.HTTP_REQUEST);
    else if (next == Next.GATHER && !this.bodyComes && !this.late) this.releaseRequestHeaders();
  }

  releaseRequestHeaders(): void {
    this.goLate();
    continueHttp(StreamType.HTTP_REQUEST);
  }

  end(): void {
    super.end();
    this.late = false;
    this.bodyComes = false;
    this.probe.end();
  }
}

function dataStatus(next: Next): DataStatus {
  return next == Next.PASS ? DataStatus.CONTINUE : DataStatus.STOP_AND_BUFFER;
}

/** MOSN's code as an HTTP status: 500 where it is not one. */
function statusOf(code: i32): i32 {
  return code >= 200 && code <= 599 ? code : 500;
}

/** Lets a message that was stopped go on. */
function release(message: HttpMessage, type: StreamType): void {
  if (message.release()) continueHttp(type);
}
