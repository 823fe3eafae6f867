import { Bytes } from "../bytes/bytes";
import { Timer } from "../host/timers";
import { StreamState } from "../tunnel/tunnel_stream";
import { Codec, Decoded, Detected, Peer } from "../xprotocol/codec";
import { Frame, FrameError, FrameKind } from "../xprotocol/frame";
import { codeOf, reasonOf } from "../upstream/bad_frame";
import { Connection } from "./connection";
import { beginRequest } from "./exchange";
import { Passthrough } from "./passthrough";
import { onClientResponse } from "./push";
import { writeReply } from "./respond";

/** What a call, another frame and a bad one cost of the work of a callback (`ProxyRoot.work`); and a byte, an eighth. */
const WORK_OF_CALL: i32 = 2048;
const WORK_OF_SIGNAL: i32 = 32;
const WORK_OF_ERROR: i32 = 512;
const WORK_SHIFT: i32 = 3;

const UNKNOWN = Bytes.of("no known protocol in the first bytes");
const TOO_FEW = Bytes.of("too few bytes to tell the protocol");
const UNASKED = Bytes.of("a response to nothing");

/** Detection that takes too long. */
class DetectTimer extends Timer {
  constructor(private readonly reader: ClientReader) {
    super();
  }

  onTimer(now: i64): void {
    this.reader.onDetectTimeout();
  }
}

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

  constructor(private readonly connection: Connection) {}

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
    const root = this.connection.root;
    const detected = root.codecs.detect(ptr, length);
    if (detected == Detected.MORE) {
      if (this.timer.slot < 0) root.setTimer(this.timer, root.now() + root.detectTimeoutMs, false);
      return false;
    }
    root.cancelTimer(this.timer);
    if (detected == Detected.YES) {
      this.codec = root.codecs.found;
      return true;
    }
    if (this.fallBack()) return true;
    this.refuse(UNKNOWN);
    return false;
  }

  /** From now on the bytes go to the cluster of the fallback; false when there is none, or not for this client. */
  private fallBack(): bool {
    const connection = this.connection;
    const fallback = connection.root.fallback;
    if (fallback === null || !connection.admits(true)) return false;
    const raw = new Passthrough(connection);
    this.passthrough = raw;
    raw.open(fallback);
    return true;
  }

  /** The first bytes fit a protocol so far, but the rest does not come. */
  onDetectTimeout(): void {
    if (this.fallBack()) this.connection.reread();
    else this.refuse(TOO_FEW);
  }

  /** Refuses the client, unless that has been done for a better reason. */
  private refuse(why: Bytes): void {
    if (!this.connection.lingering) this.connection.refuse(why);
  }

  private frames(ptr: usize, from: i32, length: i32): i32 {
    const root = this.connection.root;
    const frame = root.frame;
    const codec = this.codec;
    let used = from;
    this.need = 0;
    this.behind = false;
    while (used < length && codec !== null && !this.connection.lingering) {
      if (root.work <= 0) {
        this.behind = true;
        break;
      }
      const decoded = root.codecs.decode(
        codec,
        ptr + (used as usize),
        length - used,
        Peer.CLIENT,
        root.maxFrameBytes,
        frame,
      );
      if (decoded == Decoded.MORE) {
        this.need = frame.need;
        break;
      }
      const before = used;
      if (decoded == Decoded.FRAME) {
        root.work -= frame.kind <= FrameKind.RESPONSE ? WORK_OF_CALL : WORK_OF_SIGNAL;
        used += frame.length;
        this.onFrame(frame);
      } else {
        root.work -= WORK_OF_ERROR;
        used += this.onBadFrame(frame, length - used);
      }
      root.work -= (used - before) >> WORK_SHIFT;
    }
    return used;
  }

  private onFrame(frame: Frame): void {
    switch (frame.kind) {
      case FrameKind.REQUEST:
      case FrameKind.ONEWAY:
        beginRequest(this.connection, frame);
        break;
      case FrameKind.HEARTBEAT: {
        const codec = frame.codec;
        if (codec === null || !this.connection.admits(false)) break;
        this.connection.root.protocol(codec).heartbeats.add(1);
        codec.heartbeatAck(frame.id, frame.aux, this.connection.toClient);
        break;
      }
      case FrameKind.RESPONSE:
        if (!onClientResponse(this.connection, frame)) this.connection.refuse(UNASKED);
        break;
      default:
        // Nothing waits for a heartbeat's answer, and a client's go-away asks for nothing.
        break;
    }
  }

  /** Answers a frame that cannot be accepted, where its id is known; returns the bytes to leave out. */
  private onBadFrame(frame: Frame, available: i32): i32 {
    const root = this.connection.root;
    const codec = frame.codec;
    const reason = reasonOf(frame.error);
    root.refused(this.connection, reason);
    if (codec !== null) {
      const stats = root.protocol(codec);
      stats.decodeErrors.add(1);
      if (frame.error == FrameError.AMBIGUOUS) stats.ambiguous.add(1);
    }
    if (codec !== null && frame.answerable && frame.kind == FrameKind.REQUEST) {
      writeReply(this.connection, codec, frame.id, frame.aux, codeOf(frame.error), reason);
    }
    if (frame.length <= 0) {
      this.connection.linger();
      return available;
    }
    const now = min(frame.length, available);
    this.skip = frame.length - now;
    return now;
  }

  /** Tells the client that no new requests are wanted, where its protocol has such a frame. */
  goAway(): void {
    const codec = this.codec;
    if (codec !== null) codec.goAway(0, this.connection.toClient);
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
    this.connection.root.cancelTimer(this.timer);
    const raw = this.passthrough;
    if (raw !== null) raw.dispose();
  }
}
