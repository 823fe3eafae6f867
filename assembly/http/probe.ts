// Finds out whether headers can be held until the body is complete: a module is not told Envoy's setting for it
// (`allow_on_headers_stop_iteration`). Without it a stop at the headers keeps the body away as well, for ever.
import { LogLevel } from "../abi/types";
import { Bytes } from "../bytes/bytes";
import { log } from "../host/log";
import { ResponseFlag } from "../stream/phase";
import { Part } from "../stream/handler";
import { HeaderHold } from "./config";
import { releaseRequest, terminateStream } from "./exchange";
import { HttpStream } from "./stream";

/** How long a request is held whose body does not come, ms. */
const GIVE_UP_MS: i64 = 1000;
/** How long a request may stand still that was held without being allowed to, ms: see `onProbe`. */
const STALL_MS: i32 = 10000;
const CODE_TOO_LARGE: i32 = 413;
const TOO_LARGE = Bytes.of("the body is too large, or does not come");

/** A request is held for its body, for all we know. */
export function startProbe(stream: HttpStream): void {
  stream.probedBytes = stream.size(Part.REQUEST);
  stream.probedAt = stream.root.now();
  stream.timer.start(0);
}

/** A piece of the body of a request has come that is held: then it can be. */
export function learnAllowed(stream: HttpStream): void {
  const root = stream.root;
  if (!stream.late && root.hold == HeaderHold.UNKNOWN) root.hold = HeaderHold.ALLOWED;
}

/** A piece of the body has come, and more is to come. */
export function noteProgress(stream: HttpStream): void {
  if (stream.probedAt == 0) return;
  if (stream.late) stream.timer.start(STALL_MS);
  else stream.timer.stop();
}

/** A request that is held for its body is looked at again; inside a tick, as the effective context. */
export function onProbe(stream: HttpStream): void {
  const root = stream.root;
  if (stream.late) {
    // What gathered while Envoy stopped everything can be above its limit: then the rest never comes (docs/reference/envoy.md#stopped-bodies).
    stream.flags |= ResponseFlag.REQ_ENTITY_TOO_LARGE;
    stream.hijack(CODE_TOO_LARGE, TOO_LARGE);
    terminateStream(stream);
    return;
  }
  if (root.hold == HeaderHold.ALLOWED) return;
  // Envoy has a part of the body and does not tell of it.
  const refused = root.hold == HeaderHold.REFUSED || stream.size(Part.REQUEST) > stream.probedBytes;
  if (refused && root.hold == HeaderHold.UNKNOWN) {
    root.hold = HeaderHold.REFUSED;
    log(
      LogLevel.WARN,
      "moe-wasm: allow_on_headers_stop_iteration is not set: where a filter looks at bodies, headers of requests " +
        "cannot be changed by it and those after it",
    );
  }
  if (!refused && root.now() - stream.probedAt < GIVE_UP_MS) {
    stream.timer.start(0);
    return;
  }
  releaseRequest(stream);
  stream.timer.start(STALL_MS);
}
