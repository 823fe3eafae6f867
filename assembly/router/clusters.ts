import { noteGarbage } from "../abi/dispatch";
import { Bytes } from "../bytes/bytes";
import { hashBytes } from "../bytes/hash";
import { View } from "../bytes/view";
import { AllowedClusters } from "./allowed_clusters";
import { RouteInput } from "./input";
import { MetadataMatch } from "./metadata";

/** Longest name of a cluster that a request may give, bytes. */
const MAX_NAME: i32 = 255;
/** Names from requests that are kept as objects; a power of two. */
const KEPT: i32 = 64;
/** Objects that one of the others leaves behind, with what its destination is looked up by. */
const OBJECTS_PER_NAME: i32 = 8;
/** 2^64 divided by the golden ratio: its multiples spread evenly over 64 bits. */
const GOLDEN: u64 = 0x9e3779b97f4a7c15;

/** What a client is told of a cluster that Envoy does not have, and of one that requests may not name. */
export function unknownCluster(name: Bytes): Bytes {
  return Bytes.of("no such cluster: " + name.toString());
}

/** Where a request goes: a cluster, and what its host must be labelled with. Immutable, kept with the request freely. */
export class ClusterChoice {
  private text: Bytes = Bytes.EMPTY;

  constructor(
    readonly name: Bytes,
    readonly metadata: MetadataMatch | null,
    /** The request names the cluster, and may not. */
    readonly forbidden: bool = false,
  ) {}

  /** See `unknownCluster`. */
  get unknownText(): Bytes {
    if (this.text.length == 0) this.text = unknownCluster(this.name);
    return this.text;
  }
}

/** Chooses the cluster of a request. */
export abstract class ClusterPicker {
  /** Null when the request names no cluster where it should. */
  abstract pick(input: RouteInput): ClusterChoice | null;
}

/** `cluster_name`. */
export class FixedCluster extends ClusterPicker {
  constructor(private readonly choice: ClusterChoice) {
    super();
  }

  pick(input: RouteInput): ClusterChoice | null {
    return this.choice;
  }
}

/**
 * `weighted_clusters`: an even sequence (multiples of the golden ratio) instead of dice, so that after n requests every
 * share is off by less than a few requests, whatever n.
 */
export class WeightedClusters extends ClusterPicker {
  private readonly total: u64;

  /**
   * @param bounds the weights summed up to and including each choice; ascending, the last one not 0
   * @param state where the sequence starts: differs between workers, so that they do not step together
   */
  constructor(
    private readonly choices: StaticArray<ClusterChoice>,
    private readonly bounds: StaticArray<u32>,
    private state: u64,
  ) {
    super();
    this.total = bounds[bounds.length - 1] as u64;
  }

  pick(input: RouteInput): ClusterChoice | null {
    this.state += GOLDEN;
    const at = (((this.state >> 32) * this.total) >> 32) as u32;
    let i = 0;
    while (i < this.bounds.length - 1 && unchecked(this.bounds[i]) <= at) i++;
    return unchecked(this.choices[i]);
  }
}

/** `cluster_variable` and `cluster_header`: the request names the cluster. */
export class NamedCluster extends ClusterPicker {
  private readonly view: View = new View();
  private readonly kept: StaticArray<ClusterChoice | null> = new StaticArray<ClusterChoice | null>(KEPT);

  /** @param allowed the clusters that requests may name; null: all */
  constructor(
    private readonly key: Bytes,
    private readonly isVariable: bool,
    private readonly metadata: MetadataMatch | null,
    private readonly allowed: AllowedClusters | null,
  ) {
    super();
  }

  pick(input: RouteInput): ClusterChoice | null {
    const view = this.view;
    const key = this.key;
    const found = this.isVariable ? input.variable(key, view) : input.header(key.ptr, key.length, view);
    if (!found || !isName(view.ptr, view.length)) return null;
    const at = (hashBytes(view.ptr, view.length) as i32) & (KEPT - 1);
    const kept = unchecked(this.kept[at]);
    if (kept !== null && kept.name.equals(view.ptr, view.length)) return kept;
    noteGarbage(OBJECTS_PER_NAME);
    const allowed = this.allowed;
    const forbidden = allowed !== null && !allowed.has(view.ptr, view.length);
    const choice = new ClusterChoice(Bytes.copy(view.ptr, view.length), this.metadata, forbidden);
    unchecked((this.kept[at] = choice));
    return choice;
  }
}

/** Whether the bytes can name a cluster: towards Envoy the name is a header. */
function isName(ptr: usize, length: i32): bool {
  if (length > MAX_NAME) return false;
  for (let i = 0; i < length; i++) {
    const c = load<u8>(ptr + (i as usize));
    if (c < 0x21 || c > 0x7e) return false;
  }
  return length > 0;
}
