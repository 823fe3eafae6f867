// What a translation finds: mistakes, and what the module does otherwise than Istio, each with its place in the input.

/** `error`: there is no result. `warning`: there is one, which differs from what Istio does; it has a name to accept it by. */
export type Level = "error" | "warning";

/** Why a warning is given, as `--accept` names it, and what is different. */
export const WARNINGS = {
  "caller-timeout": "a timeout of the caller's own, which every frame of Bolt has, wins over the route's",
  "retry-scope": "what is retried is not exactly what retryOn says",
  "retry-backoff": "the module retries at once, on another host where there is one",
  "outlier-detection": "fault_tolerance judges by rates within windows, for all clusters of the plugin",
  "consistent-hash": "Maglev is used, with its own table; no cookie is made for a caller that has none",
  "no-effect": "the field has no effect on RPC",
  "no-endpoint-data": "the module takes hosts from Envoy one by one, without localities, priorities or warm-up",
  "no-percentage": "without a percentage Istio injects no fault",
  unused: "nothing in the input uses it",
} as const;
export type WarningName = keyof typeof WARNINGS;

/** Where something stands. */
export interface Place {
  file: string;
  /** Line of the value, from 1; 0: not known. */
  line: number;
  /** Number of the document in the file, from 1. */
  document: number;
  /** `KIND NAMESPACE/NAME`; empty where that could not be read. */
  resource: string;
  /** Path in the document, such as `spec.http[0].timeout`; empty for all of it. */
  path: string;
}

export interface Finding {
  level: Level;
  /** Of a warning. */
  name?: WarningName;
  place: Place;
  message: string;
}

/** A finding as one line that editors can follow. */
export function lineOf({ level, name, place, message }: Finding): string {
  const where = [place.file, ...(place.line > 0 ? [place.line] : [])].join(":");
  const resource = place.resource ? `, ${place.resource}` : "";
  const path = place.path ? `${place.path}: ` : "";
  return `${where}: document ${place.document}${resource}: ${level}${name ? ` ${name}` : ""}: ${path}${message}`;
}

export class Report {
  private readonly byLine = new Map<string, Finding>();

  /** In the order in which they were found. */
  get findings(): Finding[] {
    return [...this.byLine.values()];
  }

  private add(finding: Finding): void {
    const line = lineOf(finding);
    // A resource that serves several ports is read for each of them.
    if (!this.byLine.has(line)) this.byLine.set(line, finding);
  }

  error(place: Place, message: string): void {
    this.add({ level: "error", place, message });
  }

  warn(name: WarningName, place: Place, message: string): void {
    this.add({ level: "warning", name, place, message });
  }

  get errors(): Finding[] {
    return this.findings.filter(({ level }) => level === "error");
  }

  /** Warnings whose names are not among those accepted. */
  warnings(accepted: readonly string[] = []): Finding[] {
    return this.findings.filter(({ level, name }) => level === "warning" && !accepted.includes(name ?? ""));
  }
}
