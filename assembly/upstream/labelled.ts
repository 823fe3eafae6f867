import { noteGarbage } from "../abi/dispatch";
import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { hashBytes } from "../bytes/hash";
import { StringMap } from "../bytes/string_map";
import { View } from "../bytes/view";
import { ClusterChoice } from "../router/clusters";
import { MetadataMatch } from "../router/metadata";
import { LabelSet } from "../stream/labels";
import { Destination } from "./cluster";

/** Destinations that filters' labels may lead to; clients choose some of the values. */
const MAX_DESTINATIONS: i32 = 1024;
/** Slots for those that are found without allocating; a power of two. */
const SLOTS: i32 = 256;
/** Objects that a look-up which allocates leaves behind. */
const OBJECTS: i32 = 32;

class Entry {
  constructor(
    readonly choice: ClusterChoice,
    readonly labels: Bytes,
    readonly destination: Destination,
  ) {}
}

/** Where requests go whose labels filters have set. */
export class LabelledDestinations {
  private readonly entries: StaticArray<Entry | null> = new StaticArray<Entry | null>(SLOTS);
  private readonly byText: StringMap<Destination> = new StringMap<Destination>();
  private readonly text: ByteBuffer = new ByteBuffer();
  private readonly view: View = new View();

  /**
   * The subset of `whole`, the cluster of a route's choice, that has these labels; they win over the choice's own of the
   * same key. Allocates nothing for labels that were seen lately.
   */
  find(choice: ClusterChoice, labels: LabelSet, whole: Destination): Destination {
    const text = this.text;
    text.clear();
    for (let i = 0; i < labels.count; i++) {
      const key = labels.key(i);
      labels.value(i, this.view);
      text.append(key.ptr, key.length);
      text.appendByte(0);
      text.append(this.view.ptr, this.view.length);
      text.appendByte(0);
    }
    const slot = (hashBytes(text.ptr, text.length, changetype<usize>(choice) as u64) as i32) & (SLOTS - 1);
    const entry = unchecked(this.entries[slot]);
    if (entry !== null && entry.choice === choice && entry.labels.equals(text.ptr, text.length)) {
      return entry.destination;
    }
    const found = this.findSlowly(choice, labels, whole);
    unchecked((this.entries[slot] = new Entry(choice, Bytes.copy(text.ptr, text.length), found)));
    noteGarbage(OBJECTS);
    return found;
  }

  private findSlowly(choice: ClusterChoice, labels: LabelSet, whole: Destination): Destination {
    // eslint-disable-next-line moe/keyed-names -- 16 labels at most, by keys of the configuration
    const all = new Map<string, string>();
    const own = choice.metadata;
    if (own !== null) {
      for (let i = 0; i < own.keys.length; i++) all.set(own.keys[i].toString(), own.values[i].toString());
    }
    for (let i = 0; i < labels.count; i++) {
      labels.value(i, this.view);
      all.set(labels.key(i).toString(), String.UTF8.decodeUnsafe(this.view.ptr, this.view.length));
    }
    const merged = new MetadataMatch(all);
    const key = choice.name.toString() + merged.text;
    const known = this.byText.get(key);
    if (known !== null) return known;
    if (this.byText.size >= MAX_DESTINATIONS) this.clear();
    const destination = new Destination(whole.cluster, merged);
    this.byText.set(key, destination);
    return destination;
  }

  /** Forgets all: those in use live on with their requests and connections. */
  clear(): void {
    this.byText.clear();
    for (let i = 0; i < SLOTS; i++) unchecked((this.entries[i] = null));
  }
}
