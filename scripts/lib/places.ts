// Where a trap happened: numbers in traces of a debug build become the file and line of its source map.
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** Frames of a trace: Node's `…wasm-function[1]:0x2a`, and Envoy's `0x2a - name`. */
const FRAME = /(wasm-function\[\d+\]:0x([0-9a-f]+))|(\b0x([0-9a-f]+) - )/g;

interface SourceMap {
  sources: string[];
  mappings: string;
}

/** A place: offset in the module, index of the source, line from 0. */
type Place = [offset: number, source: number, line: number];

export class Places {
  private places: Place[] | undefined;
  private sources: string[] = [];

  /** `map` may be missing: then nothing is named. `folder` is what its sources are relative to. */
  constructor(
    private readonly map: string,
    private readonly folder: string,
  ) {}

  /** A text with the places of its traces named. */
  named(text: string): string {
    return text.replace(FRAME, (all: string, node?: string, nodeAt?: string, envoy?: string, envoyAt?: string) => {
      const place = this.of(parseInt(nodeAt ?? envoyAt ?? "", 16));
      if (place === undefined) return all;
      return node === undefined ? `${envoy}${place} ` : `${place} (${node})`;
    });
  }

  /** `FILE:LINE` of an offset in the module. */
  of(offset: number): string | undefined {
    this.places ??= this.read();
    const at = lastBefore(this.places, offset);
    if (at < 0) return undefined;
    const [, source, line] = this.places[at];
    const file = this.sources[source] ?? "";
    const own = join(this.folder, file);
    return `${existsSync(own) ? relative(this.folder, own) : file}:${line + 1}`;
  }

  private read(): Place[] {
    if (!existsSync(this.map)) return [];
    const { sources, mappings } = JSON.parse(readFileSync(this.map, "utf8")) as SourceMap;
    this.sources = sources;
    return decode(mappings);
  }
}

/** Index of the last place that is not behind an offset; -1: there is none. */
function lastBefore(places: Place[], offset: number): number {
  let [from, to] = [0, places.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (places[middle][0] <= offset) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

/** The places of a source map of WebAssembly, whose one line has a column for each offset. */
function decode(mappings: string): Place[] {
  const places: Place[] = [];
  let [offset, source, line] = [0, 0, 0];
  for (const segment of mappings.split(",")) {
    const [column = 0, sourceDelta = 0, lineDelta = 0] = numbers(segment);
    offset += column;
    source += sourceDelta;
    line += lineDelta;
    places.push([offset, source, line]);
  }
  return places.sort(([a], [b]) => a - b);
}

/** The numbers of a segment: base 64, five bits a digit, the sign in the lowest. */
function numbers(segment: string): number[] {
  const out: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if ((bits & 32) !== 0) continue;
    out.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return out;
}
