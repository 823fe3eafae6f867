import { noteGarbage } from "../abi/dispatch";
import { StringMap } from "../bytes/string_map";
import { ClusterChoice } from "../router/clusters";
import { LabelSet } from "../stream/labels";
import { Cluster, Destination } from "./cluster";
import { HostRecords } from "./host_records";
import { LabelledDestinations } from "./labelled";
import { ClusterStatsTable } from "./stats";
import { UpstreamConfig } from "./upstream_config";

/** Clusters that requests may name (cluster_header, cluster_variable) or routes use. */
const MAX_CLUSTERS: i32 = 4096;
/** Objects that one of them leaves behind. */
const OBJECTS_PER_DESTINATION: i32 = 16;

/** The clusters and subsets that requests go to; bounded. */
export class Destinations {
  private readonly clusters: StringMap<Cluster> = new StringMap<Cluster>();
  /** Destinations by cluster and labels, and by the router's choices, of which several may mean the same. */
  private readonly byText: StringMap<Destination> = new StringMap<Destination>();
  private readonly byChoice: Map<ClusterChoice, Destination> = new Map<ClusterChoice, Destination>();
  private readonly byLabels: LabelledDestinations = new LabelledDestinations();
  private readonly mirrors: Map<ClusterChoice, Destination> = new Map<ClusterChoice, Destination>();

  /**
   * @param stats the numbers by cluster
   * @param config where the configurations of clusters come from
   */
  constructor(
    private readonly stats: ClusterStatsTable,
    public config: UpstreamConfig,
  ) {}

  /** Where a route's choice leads; null when it names no cluster, one that requests may not name, or one too many. */
  of(choice: ClusterChoice | null): Destination | null {
    if (choice === null || choice.name.length == 0 || choice.forbidden) return null;
    if (this.byChoice.has(choice)) return this.byChoice.get(choice);
    const metadata = choice.metadata;
    const name = choice.name.toString();
    const text = metadata === null ? name : name + metadata.text;
    const known = this.byText.get(text);
    const destination = known !== null ? known : this.add(text, name, choice);
    if (destination === null) return null;
    // Requests that name clusters make new choices all the time.
    if (this.byChoice.size >= MAX_CLUSTERS) this.byChoice.clear();
    this.byChoice.set(choice, destination);
    return destination;
  }

  /** Where a route's choice leads with labels that filters have set; null as for `of`. */
  labelled(choice: ClusterChoice | null, labels: LabelSet): Destination | null {
    const whole = this.of(choice);
    return choice === null || whole === null ? null : this.byLabels.find(choice, labels, whole);
  }

  /**
   * Where the mirrored requests of a policy go: apart from what is sent to the same cluster otherwise, with limits of its
   * own. Null when there are too many clusters.
   */
  mirror(choice: ClusterChoice): Destination | null {
    if (this.mirrors.has(choice)) return this.mirrors.get(choice);
    const shared = this.of(choice);
    if (shared === null) return null;
    const cluster = new Cluster(shared.cluster.config, shared.cluster.stats, shared.cluster.records);
    const mirror = new Destination(cluster, choice.metadata);
    this.mirrors.set(choice, mirror);
    return mirror;
  }

  private add(text: string, name: string, choice: ClusterChoice): Destination | null {
    if (this.byText.size >= MAX_CLUSTERS && !this.dropUnused()) return null;
    let cluster = this.clusters.get(name);
    if (cluster === null) {
      const records = new HostRecords(choice.name);
      cluster = new Cluster(this.config.cluster(choice.name), this.stats.of(choice.name), records);
      this.clusters.set(name, cluster);
    }
    const destination = new Destination(cluster, choice.metadata);
    this.byText.set(text, destination);
    return destination;
  }

  /** Forgets destinations that never had a host: names that clients made up. False when there is none. */
  private dropUnused(): bool {
    const texts = this.byText.keys();
    for (let i = 0; i < texts.length; i++) {
      const destination = this.byText.get(texts[i]);
      if (destination === null) continue;
      if (destination.set.hosts.length > 0 || destination.cluster.active > 0) continue;
      this.byText.delete(texts[i]);
      this.clusters.delete(destination.cluster.name.toString());
    }
    noteGarbage(texts.length * OBJECTS_PER_DESTINATION);
    this.byChoice.clear();
    this.byLabels.clear();
    return this.byText.size < MAX_CLUSTERS;
  }
}
