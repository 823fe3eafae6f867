// MOSN's request state machine (docs/reference/mosn.md#request) in the callbacks of an Envoy HTTP filter.
import { DataStatus, HeadersStatus, StreamType } from "../abi/types";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { continueHttp, resetHttp, sendLocalResponse } from "../host/stream";
import { bit, FilterStatus, Phase } from "../stream/phase";
import { Code } from "../message/code";
import { HeaderHold } from "./config";
import { isFromServer } from "./live";
import { HttpMessage } from "./message";
import { mirrorPiece, mirrorTrailers, mirrorWhole } from "./mirror";
import { learnAllowed, noteProgress, startProbe } from "./probe";
import { HttpStream, Stage } from "./stream";

/** Times that filters may have the route matched again (MOSN's). */
const MAX_PASSES: i32 = 10;

const RESTLESS = Bytes.of("filters ask for another route without end");
const OUT_OF_MEMORY = Bytes.of("out of buffer memory");
const UPGRADE = Bytes.of("upgrade");
const METHOD = Bytes.of(":method");
const CONNECT = Bytes.of("CONNECT");

const view = new View();

/** What becomes of a message when its filters have run. */
const enum Outcome {
  /** It goes on. */
  GO,
  /** A filter waits. */
  WAIT,
  /** A filter needs the body, which is not all here. */
  COLLECT,
  /** It was answered, or reset. */
  OVER,
}

/** The headers of a request are here. */
export function onRequestHeaders(stream: HttpStream, ended: bool): HeadersStatus {
  const outcome = advance(stream, stream.receive());
  if (outcome != Outcome.COLLECT) return headersStatus(stream, outcome);
  if (stream.root.hold == HeaderHold.REFUSED) {
    goLate(stream);
    return HeadersStatus.CONTINUE;
  }
  if (stream.root.hold == HeaderHold.UNKNOWN) startProbe(stream);
  return HeadersStatus.STOP_ITERATION;
}

/**
 * The answer for headers whose filters have run. Where one waits and another one looks at the body, that gathers: beside
 * the headers where Envoy allows it, or else where a body above the limit is an error, because what has gathered under
 * STOP_ALL_AND_WATERMARK would never be one, and hang. Another protocol's bytes never gather: a filter does not look at
 * them, and who is told of a piece too many loses it (`HttpMessage.release`).
 */
function headersStatus(stream: HttpStream, outcome: Outcome): HeadersStatus {
  if (outcome == Outcome.GO) return HeadersStatus.CONTINUE;
  const reads = outcome == Outcome.WAIT && stream.readsBody() && !isTunnel(stream);
  stream.bodyComes = reads && stream.root.hold == HeaderHold.ALLOWED;
  if (!reads) return HeadersStatus.STOP_ALL_AND_WATERMARK;
  return stream.bodyComes ? HeadersStatus.STOP_ITERATION : HeadersStatus.STOP_ALL_AND_BUFFER;
}

/** The request's headers go on while its body gathers: from here on they can be read, not changed. */
export function goLate(stream: HttpStream): void {
  stream.late = true;
  stream.applyChanges();
  stream.request.headers.freeze();
}

/** `size` bytes of the request's body are here, all that have gathered. */
export function onRequestBody(stream: HttpStream, size: i32, ended: bool): DataStatus {
  if (stream.requestStage == Stage.PASSED) {
    const left = stream.request.piece(size);
    if (stream.copies !== null) mirrorPiece(stream, left, ended);
    return DataStatus.CONTINUE;
  }
  learnAllowed(stream);
  stream.request.gathered(size, ended);
  if (ended) mirrorWhole(stream);
  if (stream.requestStage == Stage.COLLECTING) {
    if (ended) return dataStatus(runComplete(stream));
    noteProgress(stream);
  }
  return DataStatus.STOP_AND_BUFFER;
}

/** The request's trailers are here: its body is complete. */
export function onRequestTrailers(stream: HttpStream): DataStatus {
  stream.request.hasTrailers = true;
  if (stream.requestStage == Stage.PASSED) {
    mirrorTrailers(stream);
    return DataStatus.CONTINUE;
  }
  learnAllowed(stream);
  stream.request.ended();
  mirrorWhole(stream);
  return stream.requestStage == Stage.COLLECTING ? dataStatus(runComplete(stream)) : DataStatus.STOP_AND_BUFFER;
}

function runComplete(stream: HttpStream): Outcome {
  stream.timer.stop();
  return stream.request.lacksMemory ? refuseBody(stream) : advance(stream, stream.receive());
}

function runCompleteResponse(stream: HttpStream): Outcome {
  return stream.response.lacksMemory ? refuseBody(stream) : deliver(stream, stream.send(true));
}

/** Answers where filters would look at a body, and there is no memory for it: none is bypassed. */
function refuseBody(stream: HttpStream): Outcome {
  stream.hijack(Code.UPSTREAM_OVERFLOW, OUT_OF_MEMORY);
  return answer(stream);
}

function dataStatus(outcome: Outcome): DataStatus {
  return outcome == Outcome.GO ? DataStatus.CONTINUE : DataStatus.STOP_AND_BUFFER;
}

/** Takes a request on from the phase that it is in, whose filters have given `first`. */
function advance(stream: HttpStream, first: FilterStatus): Outcome {
  let status = first;
  for (let pass = 0; pass < MAX_PASSES;) {
    if (status == FilterStatus.TERMINATION) return reset(stream, StreamType.HTTP_REQUEST);
    if (stream.answered || stream.refuse()) return answer(stream);
    switch (status) {
      case FilterStatus.WAIT:
        stream.requestStage = Stage.HELD;
        stream.waiting.begin();
        return Outcome.WAIT;
      case FilterStatus.NEEDS_BODY:
        if (!isTunnel(stream)) {
          stream.requestStage = Stage.COLLECTING;
          return Outcome.COLLECT;
        }
        stream.request.pass();
        break;
      default:
        if (status == FilterStatus.REMATCH_ROUTE && stream.phase == Phase.AFTER_ROUTE) {
          stream.rematch();
          pass++;
        } else if (stream.phase == Phase.AFTER_CHOOSE_HOST) {
          stream.requestStage = Stage.PASSED;
          stream.finishRequest();
          return stream.refuse() ? answer(stream) : Outcome.GO;
        } else stream.phase++;
    }
    status = stream.receive();
  }
  stream.hijack(Code.INTERNAL_ERROR, RESTLESS);
  return answer(stream);
}

/** Whether what follows the headers is no body, but another protocol. */
export function isTunnel(stream: HttpStream): bool {
  const headers = stream.request.headers;
  if (headers.find(UPGRADE, view)) return true;
  return headers.find(METHOD, view) && CONNECT.equals(view.ptr, view.length);
}

/** Sends the answer that a filter has given. */
function answer(stream: HttpStream): Outcome {
  stream.answered = false;
  stream.requestStage = Stage.PASSED;
  stream.waiting.cancel();
  stream.root.stats.localReplies.add(1);
  // In the place of a response no filter sees it any more (docs/reference/envoy.md#local-replies).
  if (stream.hasResponse) {
    stream.responseStage = Stage.PASSED;
    stream.over = true;
  } else stream.isLocal = true;
  const status = statusOf(stream.responseCode);
  const hasBody = status != 204 && status != 304;
  sendLocalResponse(status, stream.reply.ptr, hasBody ? stream.reply.length : 0, stream.why);
  return Outcome.OVER;
}

/** The HTTP status for one of MOSN's codes, of which some are none. */
function statusOf(code: i32): i32 {
  return code >= 200 && code <= 599 ? code : 500;
}

/** Ends the stream without an answer (MOSN's termination). */
function reset(stream: HttpStream, type: StreamType): Outcome {
  stream.requestStage = Stage.PASSED;
  stream.responseStage = Stage.PASSED;
  stream.over = true;
  stream.waiting.cancel();
  resetHttp(type);
  return Outcome.OVER;
}

/** Sends the answer of a filter that did not give it while it ran. */
export function terminateStream(stream: HttpStream): void {
  if (stream.enter()) answer(stream);
}

/** The headers of a response are here. */
export function onResponseHeaders(stream: HttpStream, ended: bool): HeadersStatus {
  if (stream.over) return HeadersStatus.CONTINUE;
  stream.responseEnded = ended;
  if (!stream.isLocal) stream.root.stats.responses.add(1);
  if (stream.requestStage != Stage.PASSED) finishRequest(stream);
  if (stream.answered) {
    stream.hasResponse = true;
    answer(stream);
    return HeadersStatus.STOP_ALL_AND_WATERMARK;
  }
  const chains = stream.root.chains;
  if ((chains.phases & bit(Phase.BEFORE_SEND)) == 0) {
    stream.hasResponse = true;
    stream.responseStage = Stage.PASSED;
    return HeadersStatus.CONTINUE;
  }
  stream.beginResponse(ended);
  const outcome = deliver(stream, stream.send(false));
  if (outcome != Outcome.COLLECT) return headersStatus(stream, outcome);
  if (stream.root.hold == HeaderHold.ALLOWED) return HeadersStatus.STOP_ITERATION;
  stream.response.headers.freeze();
  return HeadersStatus.CONTINUE;
}

/**
 * A response comes although the filters of the request are not through. When Envoy has answered, they are not asked any
 * more. Where the headers went to a server before the body was here, the server can be that early: then they decide on
 * what has come, so that none is bypassed; a wait makes no sense any more.
 */
function finishRequest(stream: HttpStream): void {
  const held = stream.requestStage == Stage.HELD;
  const early = stream.late && (held || stream.requestStage == Stage.COLLECTING) && isFromServer();
  stream.waiting.hurry();
  stream.requestStage = Stage.PASSED;
  stream.request.pass();
  let waits = held;
  while (early && !stream.answered && stream.phase < Phase.BEFORE_SEND) {
    let status = waits ? FilterStatus.WAIT : stream.receive();
    waits = false;
    for (let i = 0; i < MAX_PASSES && status == FilterStatus.WAIT && !stream.answered; i++) status = stream.resume();
    stream.refuse();
    stream.phase++;
  }
  stream.waiting.hurried = false;
}

/** Does what the filters of a response want. */
function deliver(stream: HttpStream, status: FilterStatus): Outcome {
  if (status == FilterStatus.TERMINATION) return reset(stream, StreamType.HTTP_RESPONSE);
  if (stream.answered || stream.refuse()) return answer(stream);
  switch (status) {
    case FilterStatus.WAIT:
      stream.responseStage = Stage.HELD;
      stream.waiting.begin();
      return Outcome.WAIT;
    case FilterStatus.NEEDS_BODY:
      if (isTunnel(stream)) {
        stream.response.pass();
        return deliver(stream, stream.send(true));
      }
      stream.responseStage = Stage.COLLECTING;
      return Outcome.COLLECT;
    default:
      stream.responseStage = Stage.PASSED;
      stream.response.forgetBody();
      return Outcome.GO;
  }
}

/** `size` bytes of the response's body are here, all that have gathered. */
export function onResponseBody(stream: HttpStream, size: i32, ended: bool): DataStatus {
  const response = stream.response;
  if (ended) stream.responseEnded = true;
  if (stream.responseStage == Stage.PASSED) {
    response.piece(size);
    return DataStatus.CONTINUE;
  }
  response.gathered(size, ended);
  if (!ended || stream.responseStage != Stage.COLLECTING) return DataStatus.STOP_AND_BUFFER;
  return dataStatus(runCompleteResponse(stream));
}

/** The response's trailers are here: its body is complete. */
export function onResponseTrailers(stream: HttpStream): DataStatus {
  stream.responseEnded = true;
  if (stream.responseStage == Stage.PASSED) return DataStatus.CONTINUE;
  stream.response.hasTrailers = true;
  stream.response.ended();
  if (stream.responseStage != Stage.COLLECTING) return DataStatus.STOP_AND_BUFFER;
  return dataStatus(runCompleteResponse(stream));
}

/** A wait is over; inside a tick, with the stream as the effective context. */
export function resumeStream(stream: HttpStream): void {
  if (stream.responseStage == Stage.HELD) {
    const outcome = deliver(stream, stream.resume());
    if (outcome == Outcome.GO) release(stream.response, StreamType.HTTP_RESPONSE);
    else if (outcome == Outcome.COLLECT && !stream.bodyComes) {
      stream.response.headers.freeze();
      release(stream.response, StreamType.HTTP_RESPONSE);
    }
    return;
  }
  const outcome = advance(stream, stream.resume());
  if (outcome == Outcome.GO) release(stream.request, StreamType.HTTP_REQUEST);
  else if (outcome == Outcome.COLLECT && !stream.bodyComes && !stream.late) releaseRequest(stream);
}

/** Lets the headers go on so that the body comes. */
export function releaseRequest(stream: HttpStream): void {
  goLate(stream);
  continueHttp(StreamType.HTTP_REQUEST);
}

/** Lets a message that was stopped go on. */
function release(message: HttpMessage, type: StreamType): void {
  if (message.release()) continueHttp(type);
}
