import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { appendProperty } from "../../../assembly/host/properties";
import { FilterConfig } from "../../../assembly/stream/filter";
import { FilterPlugin } from "../../../assembly/stream/plugin";

/**
 * Envoy gives a configuration to its workers before it gives them to connections: until then connections come to the one
 * before, and say nothing.
 */
const SETTLED_MS: i64 = 10000;

/** A configuration with `live_rules`, in use in one plugin. */
export class Follower {
  /** The one whose rules are in force for its requests; null: its own are. */
  newest: Follower | null = null;
  /** Which it is of those of its plugin with the same key: a chain may have several. */
  place: i32 = 0;
  /** When it came into force, ms. */
  since: i64 = 0;

  constructor(
    readonly key: Bytes,
    readonly plugin: FilterPlugin,
    readonly config: FilterConfig,
  ) {}

  /** Whether one is the successor of the other. */
  isLike(other: Follower): bool {
    return this.place == other.place && this.key.equals(other.key.ptr, other.key.length);
  }
}

/**
 * The configurations in use in this VM whose requests go by the newest of them, by keys: as many as Envoy has in use. Each
 * knows the newest itself, so that requests follow in one step.
 */
export class Succession {
  /** In the order in which they came into force. */
  private readonly followers: Follower[] = [];

  /** A configuration begins: it is the newest of its key. `now` in ms. */
  begin(follower: Follower, now: i64): void {
    follower.place = 0;
    for (let i = 0; i < this.followers.length; i++) {
      const other = this.followers[i];
      if (other.plugin === follower.plugin && other.key.equals(follower.key.ptr, follower.key.length)) follower.place++;
    }
    this.enforce(follower, now);
  }

  /** It ends: the newest of those that are left is in force. */
  end(follower: Follower): void {
    const at = this.followers.indexOf(follower);
    if (at < 0) return;
    this.followers.splice(at, 1);
    follower.newest = null;
    this.tell(follower);
  }

  /**
   * A new connection goes by it: where others have begun since, it has come back. Envoy does not begin a configuration
   * again that is still in use for older connections.
   */
  confirm(follower: Follower, now: i64): void {
    const newest = follower.newest;
    if (newest === null || now - newest.since < SETTLED_MS) return;
    const at = this.followers.indexOf(follower);
    if (at < 0) return;
    this.followers.splice(at, 1);
    this.enforce(follower, now);
  }

  private enforce(follower: Follower, now: i64): void {
    follower.since = now;
    this.followers.push(follower);
    this.tell(follower);
  }

  /** Tells all with this one's key which is the newest. */
  private tell(like: Follower): void {
    let newest: Follower | null = null;
    for (let i = this.followers.length - 1; i >= 0; i--) {
      const one = this.followers[i];
      if (!one.isLike(like)) continue;
      one.newest = newest;
      if (newest === null) newest = one;
    }
  }
}

/** What comes from Envoy in a key: the plugin's root and name, and the listener's direction, which not each host has. */
const ROOT_ID = Bytes.of("plugin_root_id");
const PLUGIN_NAME = Bytes.of("plugin_name");
const DIRECTION = Bytes.of("listener_direction");

/** The key of a configuration, to be asked for in its root's context. */
export function successionKey(application: Bytes): Bytes {
  const key = new ByteBuffer();
  appendProperty(ROOT_ID, key);
  key.appendByte(0);
  appendProperty(PLUGIN_NAME, key);
  key.appendByte(0);
  appendProperty(DIRECTION, key);
  key.appendByte(0);
  key.append(application.ptr, application.length);
  const bytes = Bytes.copy(key.ptr, key.length);
  key.free();
  return bytes;
}
