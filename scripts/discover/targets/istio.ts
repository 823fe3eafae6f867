// `--istio FILE`: ServiceEntries and WorkloadEntries, for `kubectl apply` or a controller that follows the file.
import { stringify } from "yaml";
import { replaceFile } from "../../lib/replace_file.ts";
import { type Cluster, clustersOf, scaledWeights } from "./clusters.ts";
import type { Endpoint } from "../model.ts";
import type { Changes, Target } from "./target.ts";
import { createHash } from "node:crypto";

const API = "networking.istio.io/v1";
const MAX_WEIGHT = 10_000;
const MAX_NAME = 63;

export interface IstioOptions {
  file: string;
  namespace: string;
  /** The domain that hosts of services end in. */
  domain: string;
  /** Whether hosts are WorkloadEntries of their own, for which selectors and identities are set. */
  workloads: boolean;
}

/** A name that Kubernetes takes, one for each text. */
export function kubernetesName(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${plain.slice(0, MAX_NAME - 9).replace(/-+$/, "") || "service"}-${hash}`;
}

/** Envoy names Istio's cluster `outbound|PORT||HOST`. */
export function istioHost(cluster: string, domain: string): string {
  return `${kubernetesName(cluster)}.${domain}`;
}

/** Text that may stand as a label's value. */
function labelValue(text: string): string {
  const safe = text.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, MAX_NAME);
  return safe.replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
}

function labelsOf(one: Endpoint): Record<string, string> {
  const { version, group, tag, application } = one;
  const all = Object.entries({ version, group, tag, app: application });
  return Object.fromEntries(all.map(([key, value]) => [key, labelValue(value)]).filter(([, value]) => value !== ""));
}

function hostOf(one: Endpoint, weight: number, port: number): Record<string, unknown> {
  const labels = labelsOf(one);
  return {
    address: one.host,
    ports: { rpc: port },
    weight,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(one.zone === "" ? {} : { locality: one.zone }),
  };
}

/** What Kubernetes gets for one cluster. */
export function istioResources(cluster: Cluster, options: IstioOptions): object[] {
  const name = kubernetesName(cluster.name);
  const weights = scaledWeights(cluster.endpoints, MAX_WEIGHT);
  const hosts = cluster.endpoints.map((one, i) => hostOf(one, weights[i], one.port));
  const mark = { "app.kubernetes.io/managed-by": "moe-discover", "moe-discover/cluster": name };
  const annotations = { "moe-discover/service": cluster.service };
  const metadata = (own: string) => ({ name: own, namespace: options.namespace, labels: mark, annotations });
  const spec = {
    hosts: [istioHost(cluster.name, options.domain)],
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    ports: [{ number: portOf(cluster), name: "rpc", protocol: "TCP" }],
  };
  if (!options.workloads) {
    return [{ apiVersion: API, kind: "ServiceEntry", metadata: metadata(name), spec: { ...spec, endpoints: hosts } }];
  }
  const workloadSelector = { labels: { "moe-discover/cluster": name } };
  const entry = {
    apiVersion: API,
    kind: "ServiceEntry",
    metadata: metadata(name),
    spec: { ...spec, workloadSelector },
  };
  const entries = cluster.endpoints.map((one, i) => ({
    apiVersion: API,
    kind: "WorkloadEntry",
    metadata: metadata(kubernetesName(`${cluster.name} ${one.host} ${one.port}`)),
    spec: { ...hosts[i], labels: { ...(hosts[i].labels as object | undefined), ...mark } },
  }));
  return [entry, ...entries];
}

/** The port that callers see; hosts have their own. */
function portOf(cluster: Cluster): number {
  return cluster.protocol.startsWith("bolt") ? 12200 : 20880;
}

export class Istio implements Target {
  readonly name = "istio";
  private text = "";

  constructor(private readonly options: IstioOptions) {}

  async write(changes: Changes): Promise<number> {
    const clusters = [...changes.services()].flatMap(clustersOf).sort((a, b) => (a.name < b.name ? -1 : 1));
    const documents = clusters.flatMap((cluster) => istioResources(cluster, this.options));
    const text = documents.map((one) => `---\n${stringify(one, { lineWidth: 0 })}`).join("");
    if (text === this.text) return 0;
    replaceFile(this.options.file, text);
    this.text = text;
    return 1;
  }
}
