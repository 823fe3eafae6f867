import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Headers, HeaderVisitor } from "../../../assembly/message/headers";
import { HeaderList } from "../../../assembly/message/list";
import { Packet, Tag } from "./packet";

/** MOSN's names for servant and function (tars/types.go). */
export const SERVICE: Bytes = Bytes.of("service");
export const METHOD: Bytes = Bytes.of("method");

/** Hands headers on, and remembers when no more are wanted. */
class Relay extends HeaderVisitor {
  target: HeaderVisitor | null = null;
  stopped: bool = false;

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const target = this.target;
    this.stopped = target === null || !target.onHeader(key, keyLength, value, valueLength);
    return !this.stopped;
  }
}

/**
 * The headers of a packet, as one list: servant and function of a RequestPacket as `service` and `method`, which can be
 * set but not removed, then the entries of the status map, then those of the context; new ones go to the context.
 */
export class TarsHeaders extends Headers {
  readonly names: HeaderList = new HeaderList();
  readonly status: HeaderList = new HeaderList();
  readonly context: HeaderList = new HeaderList();
  private readonly relay: Relay = new Relay();
  private readonly view: View = new View();

  /** Whether there may be headers that cannot be read, and whether some of those should have been removed. */
  private opaque: bool = false;
  private unread: bool = false;
  /** Whether servant or function should have been removed, or have had a second value. */
  fixed: bool = false;

  /** Reads those of a packet that has been read, the `whole` of it or not. */
  bind(packet: Packet, ptr: usize, whole: bool): void {
    this.names.clear();
    this.status.clear();
    this.context.clear();
    this.opaque = !whole || packet.isOpaque(packet.statusTag) || packet.isOpaque(Tag.CONTEXT);
    this.unread = false;
    this.fixed = false;
    if (packet.request && packet.has(Tag.FUNC)) {
      const servant = ptr + (packet.offset(Tag.SERVANT) as usize);
      const func = ptr + (packet.offset(Tag.FUNC) as usize);
      this.names.append(SERVICE.ptr, SERVICE.length, servant, packet.length(Tag.SERVANT));
      this.names.append(METHOD.ptr, METHOD.length, func, packet.length(Tag.FUNC));
    }
    packet.pairs(packet.statusTag, this.status);
    packet.pairs(Tag.CONTEXT, this.context);
  }

  get changed(): bool {
    return this.unread || this.fixed || this.names.changed || this.status.changed || this.context.changed;
  }

  get incomplete(): bool {
    return this.names.incomplete || this.status.incomplete || this.context.incomplete;
  }

  get(key: usize, keyLength: i32, out: View): bool {
    return (
      this.names.get(key, keyLength, out) ||
      this.status.get(key, keyLength, out) ||
      this.context.get(key, keyLength, out)
    );
  }

  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    const list = this.listOf(key, keyLength);
    list.set(key, keyLength, value, valueLength);
    if (list === this.names) this.status.remove(key, keyLength);
    if (list !== this.context) this.context.remove(key, keyLength);
  }

  add(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    if (this.isName(key, keyLength)) this.fixed = true;
    else this.context.add(key, keyLength, value, valueLength);
  }

  remove(key: usize, keyLength: i32): i32 {
    if (this.isName(key, keyLength)) {
      this.fixed = true;
      return 0;
    }
    if (this.opaque) this.unread = true;
    return this.status.remove(key, keyLength) + this.context.remove(key, keyLength);
  }

  forEach(visitor: HeaderVisitor): void {
    const relay = this.relay;
    relay.target = visitor;
    relay.stopped = false;
    this.names.forEach(relay);
    if (!relay.stopped) this.status.forEach(relay);
    if (!relay.stopped) this.context.forEach(relay);
    relay.target = null;
  }

  forEachOf(key: usize, keyLength: i32, visitor: HeaderVisitor): void {
    const relay = this.relay;
    relay.target = visitor;
    relay.stopped = false;
    this.names.forEachOf(key, keyLength, relay);
    if (!relay.stopped) this.status.forEachOf(key, keyLength, relay);
    if (!relay.stopped) this.context.forEachOf(key, keyLength, relay);
    relay.target = null;
  }

  /** Whether all changes can be written into this packet. */
  fit(packet: Packet): bool {
    if (this.unread || (this.status.changed && packet.isOpaque(packet.statusTag))) return false;
    return !(this.context.changed && packet.isOpaque(Tag.CONTEXT));
  }

  private isName(key: usize, keyLength: i32): bool {
    return this.names.get(key, keyLength, this.view);
  }

  /** The list that has the key, or else gets it. */
  private listOf(key: usize, keyLength: i32): HeaderList {
    if (this.isName(key, keyLength)) return this.names;
    return this.status.get(key, keyLength, this.view) ? this.status : this.context;
  }
}
