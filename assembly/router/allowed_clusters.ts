import { Bytes } from "../bytes/bytes";
import { ObjectReader } from "../config/object";
import { isVisible } from "./metadata";

/** Most patterns. */
const MAX_PATTERNS: i32 = 256;
const STAR: string = "*";
const NOT_PATTERN: string =
  'expected the name of a cluster, or its beginning or end beside one "*", such as "orders-*"; "*" alone would open Envoy\'s own clusters, too';

/** The beginning and the end of a name. */
class Pattern {
  constructor(
    readonly first: Bytes,
    readonly last: Bytes,
  ) {}

  matches(ptr: usize, length: i32): bool {
    const first = this.first;
    const last = this.last;
    if (length < first.length + last.length) return false;
    return first.equals(ptr, first.length) && last.equals(ptr + ((length - last.length) as usize), last.length);
  }
}

/**
 * The clusters that requests may name (`cluster_header`, `cluster_variable`): those that the configuration names itself,
 * and those that fit one of its patterns. Others are none of the proxy's, Envoy's admin page among them.
 */
export class AllowedClusters {
  private readonly names: Set<string> = new Set<string>();
  private readonly patterns: Pattern[] = [];

  /** The configuration names a cluster. */
  add(name: string): void {
    this.names.add(name);
  }

  /** Reads `allowed_clusters`, a list of names and patterns. */
  read(from: ObjectReader): void {
    const texts = from.strings("allowed_clusters");
    if (texts.length > MAX_PATTERNS) from.fail("allowed_clusters", `more than ${MAX_PATTERNS} patterns`);
    for (let i = 0; i < texts.length && i < MAX_PATTERNS; i++) {
      const star = texts[i].indexOf(STAR);
      const isPattern = star == texts[i].lastIndexOf(STAR) && texts[i] != STAR;
      if (!isVisible(texts[i]) || !isPattern) {
        const value = from.items("allowed_clusters")[i];
        from.errors.add(`${from.pathOf("allowed_clusters")}[${i}]`, value, `${NOT_PATTERN}; got ${value.describe()}`);
      } else if (star < 0) this.names.add(texts[i]);
      else
        this.patterns.push(new Pattern(Bytes.of(texts[i].substring(0, star)), Bytes.of(texts[i].substring(star + 1))));
    }
  }

  /** Whether requests may go to the cluster of that name. Allocates: for names that were not seen lately. */
  has(ptr: usize, length: i32): bool {
    if (this.names.has(String.UTF8.decodeUnsafe(ptr, length as usize))) return true;
    for (let i = 0; i < this.patterns.length; i++) {
      if (unchecked(this.patterns[i]).matches(ptr, length)) return true;
    }
    return false;
  }
}
