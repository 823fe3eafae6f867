// Writes a converted bootstrap as YAML, with the findings as comments beside what they concern.
import { Document, isMap, isSeq, type Node } from "yaml";
import type { Conversion } from "./convert.ts";
import type { Finding, Report } from "./report.ts";

/** A file of the result, by its name. */
export interface OutputFile {
  name: string;
  text: string;
}

function comment(findings: Finding[], report: Report): string {
  return findings
    .flatMap((finding) => {
      const action = finding.action ? ` ${finding.action}` : "";
      return ` ${report.numberOf(finding)}. ${finding.level}: ${finding.what.replaceAll("\n", " ")}: ${finding.why}${action}`;
    })
    .join("\n");
}

/** Puts the comments of objects beside their nodes. */
function annotate(value: unknown, node: unknown, report: Report): void {
  if (typeof value !== "object" || value === null) return;
  const findings = report.comments.get(value);
  if (findings) (node as Node).commentBefore = comment(findings, report);
  if (Array.isArray(value) && isSeq(node)) value.forEach((one, i) => annotate(one, node.items[i], report));
  else if (isMap(node)) {
    for (const pair of node.items) {
      const key = String((pair.key as { value?: unknown }).value ?? pair.key);
      annotate((value as Record<string, unknown>)[key], pair.value, report);
    }
  }
}

function yaml(value: object, head: string, report: Report): string {
  const document = new Document(value, { version: "1.1", aliasDuplicateObjects: false });
  annotate(value, document.contents, report);
  document.commentBefore = head;
  return document.toString({ lineWidth: 0 });
}

/** What stands at the top of a file: where it is from, and what is different. */
function head(source: string, report: Report): string {
  const told = report.findings.filter(({ level }) => level !== "note");
  const lines = [` Made by \`moe convert\` of ${source}.`, ` Start it from the folder that holds the module.`];
  if (told.length > 0) lines.push(" What is different, or missing:");
  for (const finding of told) {
    const action = finding.action ? ` ${finding.action}` : "";
    lines.push(`   ${report.numberOf(finding)}. ${finding.level}: ${finding.path}: ${finding.why}${action}`);
  }
  return lines.join("\n");
}

/** The bootstrap in one file. */
export function single({ bootstrap, report }: Conversion, source: string): string {
  return yaml(bootstrap, head(source, report), report);
}

/**
 * The bootstrap in files of parts: `envoy.yaml`, `listeners.yaml`, `clusters.yaml`, of which Envoy follows the last two
 * when they are replaced. `folder` is where Envoy finds them.
 */
export function split({ bootstrap, report }: Conversion, source: string, folder: string): OutputFile[] {
  const { static_resources, ...rest } = bootstrap;
  const part = (type: string, list: object[]) => {
    const message = `type.googleapis.com/envoy.config.${type}`;
    const resources = list.map((one) => {
      const copy = { "@type": message, ...one };
      const findings = report.comments.get(one);
      if (findings) report.comments.set(copy, findings);
      return copy;
    });
    return { resources };
  };
  const from = (name: string) => ({
    resource_api_version: "V3",
    path_config_source: { path: `${folder}/${name}`, watched_directory: { path: folder } },
  });
  const dynamic_resources = { lds_config: from("listeners.yaml"), cds_config: from("clusters.yaml") };
  const listeners = part("listener.v3.Listener", static_resources.listeners);
  const clusters = part("cluster.v3.Cluster", static_resources.clusters);
  return [
    { name: "envoy.yaml", text: yaml({ ...rest, dynamic_resources }, head(source, report), report) },
    { name: "listeners.yaml", text: yaml(listeners, ` Listeners of ${source}.`, report) },
    { name: "clusters.yaml", text: yaml(clusters, ` Clusters of ${source}.`, report) },
  ];
}
