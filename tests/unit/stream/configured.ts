// Chains of filters from texts of configuration, for specs of filters.
import { Bytes } from "../../../assembly/bytes/bytes";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";
import { ObjectReader } from "../../../assembly/config/object";
import { ChainEntry, FilterChain } from "../../../assembly/stream/chain";
import { FilterConfig, FilterRoots, FilterType } from "../../../assembly/stream/filter";

/** A filter's configuration from a text that is a good one, in which ' stands for ". */
export function configured(type: FilterType, text: string, root: FilterRoots = FilterRoots.ALL): FilterConfig {
  const bytes = Bytes.of(text.replaceAll("'", '"'));
  const errors = new ConfigErrors();
  const config = type.parseFor(new ObjectReader(parseJson(bytes.ptr, bytes.length, errors), "config", errors), root);
  assert(!errors.failed, errors.message);
  return config;
}

/** A chain of one filter. */
export function chainOf(type: FilterType, text: string): FilterChain {
  return chainWith(type, configured(type, text));
}

/** The same with a configuration that is read. */
export function chainWith(type: FilterType, config: FilterConfig): FilterChain {
  const entries = new StaticArray<ChainEntry>(1);
  entries[0] = new ChainEntry(type, config);
  return new FilterChain(entries);
}
