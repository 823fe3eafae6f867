// Reads resources from YAML or JSON: several documents in a file, lists of kubectl, in any order.
import { type Document, isNode, LineCounter, parseAllDocuments } from "yaml";
import { isObject } from "../lib/values.ts";
import type { Json } from "../lib/json_fields.ts";
import { Fields, type PlaceOf } from "./fields.ts";
import type { Place, Report } from "./report.ts";

/** What is translated, by kind: the API groups that it may be of. */
const GROUPS: Record<string, string[]> = {
  VirtualService: ["networking.istio.io"],
  DestinationRule: ["networking.istio.io"],
  ServiceEntry: ["networking.istio.io"],
  Service: [""],
};
export type Kind = "VirtualService" | "DestinationRule" | "ServiceEntry" | "Service";

/** Most values that aliases of one document may stand for. */
const MAX_ALIASES = 1000;

export interface Resource {
  kind: Kind;
  namespace: string;
  name: string;
  annotations: Record<string, string>;
  spec: Fields;
  /** The place of the resource itself. */
  place: Place;
}

/** A text and the name by which it is told. */
export interface Source {
  file: string;
  text: string;
}

/** The keys of a path such as `spec.http[0].timeout`. */
function keysOf(path: string): (string | number)[] {
  return [...path.matchAll(/[^.[\]]+|\[(\d+)\]/g)].map(([part, index]) => (index === undefined ? part : Number(index)));
}

/** The line of a value; of the nearest one around it where it is not there. */
function lineAt(document: Document, lines: LineCounter, path: (string | number)[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 0;
}

/** Reads all resources of these sources that are translated; others are passed over. `namespace`: of those that name none. */
export function readResources(sources: Source[], namespace: string, report: Report): Resource[] {
  const found = sources.flatMap((source) => readSource(source, namespace, report));
  const places = new Map<string, Place>();
  for (const { place } of found) {
    const other = places.get(place.resource);
    if (other)
      report.error(
        place,
        `is there twice: also in ${other.file}, document ${other.document}. Kubernetes would keep one`,
      );
    places.set(place.resource, place);
  }
  return found;
}

function readSource({ file, text }: Source, namespace: string, report: Report): Resource[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, merge: true });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document, i) => {
    const place = (line: number): Place => ({ file, line, document: i + 1, resource: "", path: "" });
    for (const { message, pos } of document.errors)
      report.error(place(lines.linePos(pos[0]).line), message.split("\n")[0].replace(/ at line \d+.*$/, ""));
    if (document.errors.length > 0) return [];
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (error) {
      report.error(place(0), (error as Error).message);
      return [];
    }
    if (value === null || value === undefined) return [];
    const at = (prefix: string, resource: string): PlaceOf => {
      return (path) => {
        const whole = [prefix, path].filter((part) => part !== "").join(".");
        return { file, line: lineAt(document, lines, keysOf(whole)), document: i + 1, resource, path };
      };
    };
    return readDocument(value, "", at, namespace, report);
  });
}

/** Reads a resource, or a list of them as `kubectl get -o yaml` writes it. */
function readDocument(
  value: unknown,
  prefix: string,
  at: (prefix: string, resource: string) => PlaceOf,
  namespace: string,
  report: Report,
): Resource[] {
  if (!isObject<Json>(value) || typeof value.kind !== "string" || typeof value.apiVersion !== "string") {
    report.error(at(prefix, "")(""), "is no resource of Kubernetes: kind or apiVersion is missing");
    return [];
  }
  const { kind, items } = value;
  if (kind.endsWith("List") && Array.isArray(items))
    return items.flatMap((item, i) => readDocument(item, `${prefix}items[${i}]`, at, namespace, report));
  const group = value.apiVersion.includes("/") ? value.apiVersion.split("/")[0] : "";
  if (!Object.hasOwn(GROUPS, kind) || !GROUPS[kind].includes(group)) return [];
  const metadata = isObject<Json>(value.metadata) ? value.metadata : {};
  const name = typeof metadata.name === "string" ? metadata.name : "";
  const own = typeof metadata.namespace === "string" ? metadata.namespace : namespace;
  const placeOf = at(prefix, `${kind} ${own}/${name}`);
  if (name === "") report.error(placeOf("metadata.name"), "is missing");
  const annotations = Object.entries(isObject<Json>(metadata.annotations) ? metadata.annotations : {});
  if (!isObject<Json>(value.spec)) {
    report.error(placeOf("spec"), "is missing");
    return [];
  }
  return [
    {
      kind: kind as Kind,
      namespace: own,
      name,
      annotations: Object.fromEntries(annotations.map(([key, text]) => [key, String(text)])),
      spec: new Fields(value.spec, "spec", placeOf, report),
      place: placeOf(""),
    },
  ];
}
