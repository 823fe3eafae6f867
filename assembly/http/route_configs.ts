import { noteGarbage } from "../abi/dispatch";
import { ByteBuffer, KEEP_LARGE } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { hashBytes } from "../bytes/hash";
import { ConfigErrors } from "../config/errors";
import { parseJson } from "../config/json";
import { ObjectReader } from "../config/object";
import { appendProperty, propertyPath } from "../host/properties";
import { FilterConfig, FilterRoots, FilterType } from "../stream/filter";
import { logMistakes } from "../stream/mistakes";

/** Distinct texts that are kept, and slots for them: a power of two above twice as many. */
const MAX_TEXTS: i32 = 512;
const SLOTS: i32 = 2048;

/** What a text says to a filter type; null: it is wrong. */
class Parsed {
  constructor(
    readonly type: FilterType,
    readonly text: Bytes,
    readonly config: FilterConfig | null,
  ) {}
}

/** Where a filter type's configuration for a route is. */
class Source {
  readonly path: Bytes;

  constructor(readonly type: FilterType) {
    this.path = propertyPath("xds/route_metadata/filter_metadata/moe/" + type.name);
  }
}

/**
 * MOSN's per_filter_config on HTTP: in the metadata of Envoy's routes, `filter_metadata: {moe: {TYPE: "…"}}`, one JSON
 * text for each type of filter. Every distinct text is parsed once.
 */
export class RouteConfigs {
  private readonly sources: Source[] = [];
  private readonly parsed: StaticArray<Parsed | null> = new StaticArray<Parsed | null>(SLOTS);
  private count: i32 = 0;
  private readonly text: ByteBuffer = new ByteBuffer();
  /** The last `find` came upon a text that is no configuration. */
  invalid: bool = false;

  /** The configuration of a type for the route of the current HTTP stream; null: none. One host call. */
  find(type: FilterType): FilterConfig | null {
    this.invalid = false;
    const text = this.text;
    text.reset(KEEP_LARGE);
    if (!appendProperty(this.pathOf(type), text)) return null;
    const parsed = this.lookUp(type);
    this.invalid = parsed.config === null;
    return parsed.config;
  }

  private pathOf(type: FilterType): Bytes {
    for (let i = 0, n = this.sources.length; i < n; i++) {
      const source = unchecked(this.sources[i]);
      if (source.type === type) return source.path;
    }
    const source = new Source(type);
    this.sources.push(source);
    return source.path;
  }

  private lookUp(type: FilterType): Parsed {
    const text = this.text;
    let slot = hashBytes(text.ptr, text.length, changetype<usize>(type) as u64) as u32;
    for (let i = 0; i < SLOTS; i++, slot++) {
      const entry = unchecked(this.parsed[slot & (SLOTS - 1)]);
      if (entry === null) break;
      if (entry.type === type && entry.text.equals(text.ptr, text.length)) return entry;
    }
    if (this.count >= MAX_TEXTS) this.clear();
    const made = new Parsed(type, Bytes.copy(text.ptr, text.length), this.parse(type));
    unchecked((this.parsed[slot & (SLOTS - 1)] = made));
    this.count++;
    return made;
  }

  private parse(type: FilterType): FilterConfig | null {
    const errors = new ConfigErrors();
    const text = this.text;
    const value = parseJson(text.ptr, text.length, errors);
    let config: FilterConfig | null = null;
    if (value !== null) config = type.parseFor(new ObjectReader(value, type.name, errors), FilterRoots.HTTP);
    if (!errors.failed) return config;
    const what = `the route's metadata filter_metadata.moe.${type.name}, which must be a string of JSON`;
    logMistakes(what, errors);
    return null;
  }

  private clear(): void {
    for (let i = 0; i < SLOTS; i++) unchecked((this.parsed[i] = null));
    noteGarbage(8 * this.count);
    this.count = 0;
  }
}

/** The configurations that were asked for on one stream, also those that are not there. */
export class AskedConfigs {
  private readonly types: FilterType[] = [];
  private readonly configs: (FilterConfig | null)[] = [];

  /** The index of a type; -1: it was not asked for. */
  find(type: FilterType): i32 {
    for (let i = 0, n = this.types.length; i < n; i++) if (unchecked(this.types[i]) === type) return i;
    return -1;
  }

  /** The configuration at an index that was found; null: the route has none. */
  at(i: i32): FilterConfig | null {
    return this.configs[i];
  }

  add(type: FilterType, config: FilterConfig | null): void {
    this.types.push(type);
    this.configs.push(config);
  }

  clear(): void {
    this.types.length = 0;
    this.configs.length = 0;
  }
}
