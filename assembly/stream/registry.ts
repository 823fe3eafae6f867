import { ObjectReader } from "../config/object";
import { suggestion } from "../config/suggest";
import { ChainEntry, FilterChains } from "./chain";
import { FilterConfig, FilterRoots, FilterType } from "./filter";

/** Most filters of one chain. */
const MAX_FILTERS: i32 = 64;

/** The filter types that are compiled in, by MOSN's names, as far as they are for one root or for any. */
export class FilterRegistry {
  constructor(
    private readonly roots: FilterRoots = FilterRoots.ALL,
    private readonly types: FilterType[] = [],
  ) {}

  register(type: FilterType): void {
    this.types.push(type);
  }

  /** The same types, as far as they are for these roots. */
  of(roots: FilterRoots): FilterRegistry {
    return new FilterRegistry(roots, this.types);
  }

  /** The type of that name, or null. */
  find(name: string): FilterType | null {
    for (let i = 0; i < this.types.length; i++) {
      if (this.types[i].name == name && this.isAllowed(this.types[i])) return this.types[i];
    }
    return null;
  }

  private isAllowed(type: FilterType): bool {
    return (type.roots & this.roots) != 0;
  }

  /** The names of all types, for messages. */
  get names(): string[] {
    const names = new Array<string>();
    for (let i = 0; i < this.types.length; i++) {
      if (this.isAllowed(this.types[i])) names.push(this.types[i].name);
    }
    return names;
  }

  /** Why there is no type of that name. */
  explain(name: string): string {
    for (let i = 0; i < this.types.length; i++) {
      const type = this.types[i];
      if (type.name != name) continue;
      const instead = type.instead.length > 0 ? `, use ${type.instead}` : "";
      return `the filter type "${name}" is not for this root${instead}; ${this.allowed}`;
    }
    return `unknown filter type "${name}"; ${this.allowed}${suggestion(name, this.names)}`;
  }

  /** The types there are, for messages. */
  get allowed(): string {
    return this.types.length > 0 ? "allowed: " + this.names.join(", ") : "no stream filter types are compiled in";
  }

  /** Reads a configuration of one of the types. */
  parseConfig(type: FilterType, from: ObjectReader): FilterConfig {
    return type.parseFor(from, this.roots);
  }

  /** Reads `stream_filters`, MOSN's [{"type", "config"}]. After an error the result is of no use. */
  parse(from: ObjectReader): FilterChains {
    const entries = new Array<ChainEntry>();
    const filters = from.objects("stream_filters");
    if (filters.length > MAX_FILTERS) from.fail("stream_filters", `more than ${MAX_FILTERS} filters`);
    for (let i = 0; i < filters.length; i++) {
      const filter = filters[i];
      const name = filter.required("type");
      const type = this.find(name);
      const config = filter.object("config");
      filter.finish();
      if (type === null) filter.fail("type", this.explain(name));
      else entries.push(new ChainEntry(type, this.parseConfig(type, config)));
    }
    return new FilterChains(entries);
  }
}
