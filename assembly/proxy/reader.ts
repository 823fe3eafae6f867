import { Bytes } from "../bytes/bytes";
import { Timer } from "../host/timers";
import { StreamState } from "../tunnel/tunnel_stream";
import { Codec, Decoded, Detected, Peer } from "../xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../xprotocol/frame";
import { codeOf, reasonOf } from "../upstream/bad_frame";
import { Client } from "./client";
import { beginRequest } from "./client_request";
import { Passthrough } from "./passthrough";
import { writeReply } from "./reply";
import { Services } from "./services";

/** What a call, another frame and a bad one cost of the work of a callback (`Services.work`); a byte costs an eighth. */
const WORK_OF_CALL: i32 = 2048;
const WORK_OF_SIGNAL: i32 = 32;
const WORK_OF_ERROR: i32 = 512;
const WORK_SHIFT: i32 = 3;

const UNKNOWN = Bytes.of("no known protocol in the first bytes");
const TOO_FEW = Bytes.of("too few bytes to tell the protocol");
const UNREQUESTED = Bytes.of("a response to nothing");

/** What a client sends: finds out the protocol, cuts the bytes into frames, and has each dealt with. */
export class ClientReader {
  private codec: Codec | null = null;
  private passthrough: Passthrough | null = null;
  private readonly timer: DetectTimer = new DetectTimer(this);
  /** Bytes that the first frame that is not whole needs; 0: not known. */
  need: i32 = 0;
  /** Whether there was more than one client may have done in one callback. */
  behind: bool = false;
  /** Bytes still to come of a frame that was refused for its length. */
  private skip: i32 = 0;

  constructor(
    private readonly services: Services,
    private readonly client: Client,
  ) {}

  /** Deals with the whole frames of a range; returns the bytes they took. */
  read(ptr: usize, length: i32): i32 {
    if (this.codec === null && this.passthrough === null && !this.detect(ptr, length)) return 0;
    const raw = this.passthrough;
    if (raw !== null) {
      raw.write(ptr, length);
      return length;
    }
    let used = 0;
    if (this.skip > 0) {
      used = min(this.skip, length);
      this.skip -= used;
    }
    return this.frames(ptr, used, length);
  }

  /** Finds out the protocol, or falls back; false when it is not known yet, or never will be. */
  private detect(ptr: usize, length: i32): bool {
    const services = this.services;
    const detected = services.codecs.detect(ptr, length);
    if (detected == Detected.MORE) {
      if (this.timer.slot < 0)
        services.setTimer(this.timer, services.now() + (services.config.detectTimeoutMs as i64), false);
      return false;
    }
    services.cancelTimer(this.timer);
    if (detected == Detected.YES) {
      this.codec = services.codecs.found;
      return true;
    }
    if (this.fallBack()) return true;
    this.refuse(UNKNOWN);
    return false;
  }

  /** From now on the bytes go to the cluster of the fallback; false when there is none, or not for this client. */
  private fallBack(): bool {
    const fallback = this.services.config.fallbackTarget;
    if (fallback === null || !this.client.admits(true)) return false;
    const raw = new Passthrough(this.client);
    this.passthrough = raw;
    raw.open(fallback);
    return true;
  }

  /** The first bytes fit a protocol so far, but the rest does not come. */
  onDetectTimeout(): void {
    if (this.fallBack()) this.client.reread();
    else this.refuse(TOO_FEW);
  }

  /** Refuses the client, unless that has been done for a better reason. */
  private refuse(why: Bytes): void {
    if (!this.client.lingering) this.client.refuse(why);
  }

  private frames(ptr: usize, from: i32, length: i32): i32 {
    const services = this.services;
    const frame = services.frame;
    const codecs = services.codecs;
    const maxLength = services.config.maxFrameBytes;
    const codec = this.codec;
    let used = from;
    this.need = 0;
    this.behind = false;
    while (used < length && codec !== null && !this.client.lingering) {
      if (services.work <= 0) {
        this.behind = true;
        break;
      }
      const decoded = codecs.decode(codec, ptr + (used as usize), length - used, Peer.CLIENT, maxLength, frame);
      if (decoded == Decoded.MORE) {
        this.need = frame.need;
        break;
      }
      const before = used;
      if (decoded == Decoded.FRAME) {
        services.work -= frame.kind <= FrameKind.RESPONSE ? WORK_OF_CALL : WORK_OF_SIGNAL;
        used += frame.length;
        const spoken = frame.codec;
        if (spoken !== null) this.onFrame(spoken, frame);
      } else {
        services.work -= WORK_OF_ERROR;
        used += this.onBadFrame(frame, length - used);
      }
      services.work -= (used - before) >> WORK_SHIFT;
    }
    return used;
  }

  private onFrame(codec: Codec, frame: Frame): void {
    const client = this.client;
    switch (frame.kind) {
      case FrameKind.REQUEST:
      case FrameKind.ONEWAY:
        beginRequest(client, codec, frame);
        break;
      case FrameKind.HEARTBEAT:
        if (!client.admits(false)) break;
        this.services.protocol(codec).heartbeats.add(1);
        codec.heartbeatAck(frame.id, frame.aux, client.output.bytes);
        break;
      case FrameKind.RESPONSE:
        if (!client.requests.serverRequests.onResponse(codec, frame)) client.refuse(UNREQUESTED);
        break;
      default:
        // Nothing waits for a heartbeat's answer, and a client's go-away asks for nothing.
        break;
    }
  }

  /** Answers a frame that cannot be accepted, where its id is known; returns the bytes to leave out. */
  private onBadFrame(frame: Frame, available: i32): i32 {
    const services = this.services;
    const codec = frame.codec;
    const reason = reasonOf(frame.error);
    services.clients.refused(this.client.info, reason, services.now());
    if (codec !== null) {
      const stats = services.protocol(codec);
      stats.decodeErrors.add(1);
      if (frame.error == FrameError.AMBIGUOUS) stats.ambiguous.add(1);
    }
    if (codec !== null && frame.answerable && frame.kind == FrameKind.REQUEST) {
      writeReply(this.client, codec, frame.id, frame.aux, codeOf(frame.error), reason);
    }
    if (frame.length <= 0) {
      this.client.linger();
      return available;
    }
    const now = min(frame.length, available);
    this.skip = frame.length - now;
    return now;
  }

  /** Tells the client that no new requests are wanted, where its protocol has such a frame. */
  goAway(): void {
    const codec = this.codec;
    if (codec !== null) codec.goAway(0, this.client.output.bytes);
  }

  /** Whether it is known which protocol the client speaks. */
  get knows(): bool {
    return this.codec !== null;
  }

  /** Whether bytes of no known protocol are carried: nobody can tell when such a connection is idle. */
  get carriesRaw(): bool {
    const raw = this.passthrough;
    return raw !== null && raw.state <= StreamState.OPEN;
  }

  /** Cancels what is set when the connection ends. */
  dispose(): void {
    this.services.cancelTimer(this.timer);
    const raw = this.passthrough;
    if (raw !== null) raw.dispose();
  }
}

/** Detection that takes too long. */
class DetectTimer extends Timer {
  constructor(private readonly reader: ClientReader) {
    super();
  }

  onTimer(now: i64): void {
    this.reader.onDetectTimeout();
  }
}
