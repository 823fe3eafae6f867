import { Bytes } from "../bytes/bytes";
import { AllowedClusters } from "./allowed_clusters";
import { ClusterChoice } from "./clusters";
import { FilterChains } from "../stream/chain";
import { FilterRegistry } from "../stream/registry";
import { HeaderSlot } from "./matchers";
import { MetadataMatch } from "./metadata";

/** What a router is built for. */
export class RouterOptions {
  /** The cluster of all requests where the configuration has no virtual hosts. */
  defaultCluster: string = "upstream";
  /** Start of the sequences behind weighted clusters: differs between workers. */
  seed: u64 = 0;
  /** Whether requests are HTTP: rewrites and redirects make sense. */
  http: bool = false;
  /** The clusters that requests may name, which those of routes are added to; null: all. */
  allowed: AllowedClusters | null = null;
  /** The types of stream filters, for their configurations per route. */
  filters: FilterRegistry = new FilterRegistry();
  /** The filters that run: routes may configure no others; null: any. */
  chains: FilterChains | null = null;
}

/** What the parts of one router share while it is built. */
export class RouterBuilder {
  private readonly slots: Map<string, HeaderSlot> = new Map<string, HeaderSlot>();
  private readonly choices: Map<string, ClusterChoice> = new Map<string, ClusterChoice>();
  private seeds: u64 = 0;

  constructor(readonly options: RouterOptions) {}

  /** The one slot for a header name. */
  slot(name: string): HeaderSlot {
    if (!this.slots.has(name)) this.slots.set(name, new HeaderSlot(Bytes.of(name)));
    return this.slots.get(name);
  }

  /** The one choice of a cluster with these labels. */
  choice(name: string, labels: Map<string, string>): ClusterChoice {
    const allowed = this.options.allowed;
    if (allowed !== null) allowed.add(name);
    const metadata = metadataOf(labels);
    const key = metadata === null ? name : name + metadata.text;
    if (!this.choices.has(key)) this.choices.set(key, new ClusterChoice(Bytes.of(name), metadata));
    return this.choices.get(key);
  }

  /** Where the next sequence starts. */
  nextSeed(): u64 {
    let seed = this.options.seed + ++this.seeds * 0xbf58476d1ce4e5b9;
    seed = (seed ^ (seed >> 30)) * 0x94d049bb133111eb;
    return seed ^ (seed >> 31);
  }
}

/** The labels as an object; null: there are none. */
export function metadataOf(labels: Map<string, string>): MetadataMatch | null {
  return labels.size > 0 ? new MetadataMatch(labels) : null;
}
