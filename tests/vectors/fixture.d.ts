/** A filter's file, whichever way it is written. */
export interface VectorFile {
  /** Roots of the module that run the filter. */
  roots: ("proxy" | "http")[];
  rows: unknown[];
}

export function filterNames(): string[];
export function vectorFile(filter: string): VectorFile;
export function report(host: string, counts: Map<string, number>): void;
