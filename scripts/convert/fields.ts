// Reads MOSN's JSON as MOSN does: names of fields in any case, types checked, and nothing skipped without a word.
import { type Json, JsonFields, type JsonObject } from "../lib/json_fields.ts";
import type { Report } from "./report.ts";

export type { Json } from "../lib/json_fields.ts";

const UNITS: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** Seconds of one of Go's durations, such as `1m30s`; undefined where it is none. */
export function goSeconds(text: string): number | undefined {
  if (text === "0") return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  const sign = text.startsWith("-") ? -1 : 1;
  const whole = parts.map(([part]) => part).join("");
  if (parts.length === 0 || whole !== text.replace(/^[-+]/, "")) return undefined;
  return sign * parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit], 0);
}

/** Seconds as Envoy's JSON writes a duration. */
export function envoyDuration(seconds: number): string {
  return `${Number(seconds.toFixed(9))}s`;
}

/** One object of the MOSN file. A field counts as read once it was asked for; `done` reports the others. */
export class Fields extends JsonFields {
  private readonly names = new Map<string, string>();
  private readonly read = new Set<string>();

  constructor(
    object: JsonObject,
    path: string,
    readonly report: Report,
  ) {
    super(object, path);
    for (const name of Object.keys(object)) this.names.set(name.toLowerCase(), name);
  }

  protected mistake(path: string, message: string): void {
    this.report.mistake(path, message);
  }

  protected nested(object: JsonObject, path: string): this {
    return new Fields(object, path, this.report) as this;
  }

  /** The field's value, whatever it is; undefined where there is none or it is null. */
  raw(name: string): Json | undefined {
    const own = this.names.get(name.toLowerCase());
    if (own === undefined) return undefined;
    this.read.add(own);
    return this.object[own] ?? undefined;
  }

  has(name: string): boolean {
    const own = this.names.get(name.toLowerCase());
    return own !== undefined && this.object[own] !== null;
  }

  flag(name: string): boolean {
    const value = this.raw(name);
    if (value === undefined || typeof value === "boolean") return value ?? false;
    return this.wrong(name, "true or false", value) ?? false;
  }

  /** A number; a string that holds one is taken for it, as MOSN's own samples have ports so. */
  number(name: string): number | undefined {
    const value = this.raw(name);
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (number === undefined || (typeof number === "number" && Number.isFinite(number))) return number;
    return this.wrong(name, "a number", value as Json);
  }

  /** A duration in seconds. */
  seconds(name: string): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const seconds = typeof value === "number" ? value / 1e9 : typeof value === "string" ? goSeconds(value) : undefined;
    return seconds ?? this.wrong(name, 'a duration such as "3s"', value);
  }

  /** Names and values of an object of strings; numbers and booleans become text, as in MOSN's metadata. */
  map(name: string): Record<string, string> {
    const child = this.child(name);
    return Object.fromEntries(Object.entries(child?.all() ?? {}).map(([key, value]) => [key, String(value)]));
  }

  /** The whole object; all of it counts as read. */
  all(): JsonObject {
    for (const name of Object.keys(this.object)) this.read.add(name);
    return this.object;
  }

  /** Notes fields that have no counterpart here, where they are given. */
  note(why: string, ...names: string[]): void {
    for (const name of names) {
      const value = this.raw(name);
      if (value !== undefined && value !== "" && value !== false) this.report.note(this.at(name), show(value), why);
    }
  }

  /** Reports fields whose effect is lost, where they are given. */
  lost(why: string, action: string | undefined, ...names: string[]): void {
    for (const name of names) {
      const value = this.raw(name);
      if (value !== undefined && !isEmpty(value)) this.report.lost(this.at(name), show(value), why, action);
    }
  }

  /** Reports the fields that nobody has asked for: MOSN does not know them. */
  done(): void {
    for (const [name, value] of Object.entries(this.object)) {
      if (this.read.has(name) || value === null) continue;
      this.report.note(this.at(name), show(value), "MOSN has no such field here, and ignores it.");
    }
  }
}

function isEmpty(value: Json): boolean {
  if (value === "" || value === false || value === 0 || value === null) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** A value for the report, short. */
export function show(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
