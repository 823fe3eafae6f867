// Reads one object of a resource: names and types are checked, and a field that nobody has asked for is a mistake.
import { type Json, JsonFields, type JsonObject } from "../lib/json_fields.ts";
import type { Place, Report, WarningName } from "./report.ts";

/** A value of a document, and how to find its place. */
export type PlaceOf = (path: string) => Place;

const UNITS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };

/** Milliseconds of a duration as Istio writes it (`1h`, `1m30s`, `1.5s`, `10ms`); undefined where it is none. */
export function milliseconds(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return undefined;
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit], 0);
}

/** A duration as the module takes it. */
export function durationOf(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.ceil(ms)}ms`;
}

export class Fields extends JsonFields {
  private readonly asked = new Set<string>();

  constructor(
    object: JsonObject,
    path: string,
    readonly placeOf: PlaceOf,
    readonly report: Report,
  ) {
    super(object, path);
  }

  protected mistake(path: string, message: string): void {
    this.report.error(this.placeOf(path), message);
  }

  protected nested(object: JsonObject, path: string): this {
    return new Fields(object, path, this.placeOf, this.report) as this;
  }

  error(name: string, message: string): void {
    this.mistake(name ? this.at(name) : this.path, message);
  }

  warn(warning: WarningName, name: string, message: string): void {
    this.report.warn(warning, this.placeOf(name ? this.at(name) : this.path), message);
  }

  /** The value of a field; undefined where there is none or it is null. */
  raw(name: string): Json | undefined {
    this.asked.add(name);
    return Object.hasOwn(this.object, name) ? (this.object[name] ?? undefined) : undefined;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.object, name) && this.object[name] !== null;
  }

  flag(name: string): boolean | undefined {
    const value = this.raw(name);
    return value === undefined || typeof value === "boolean" ? value : this.wrong(name, "true or false", value);
  }

  number(name: string): number | undefined {
    const value = this.raw(name);
    return value === undefined || typeof value === "number" ? value : this.wrong(name, "a number", value);
  }

  /** A whole number that is not negative. */
  count(name: string): number | undefined {
    const value = this.number(name);
    if (value === undefined || (Number.isInteger(value) && value >= 0)) return value;
    return this.wrong(name, "a whole number that is not negative", value);
  }

  /** A duration in milliseconds. */
  duration(name: string): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const ms = typeof value === "string" ? milliseconds(value) : undefined;
    return ms ?? this.wrong(name, 'a duration such as "3s"', value);
  }

  /** The fields of an object, by name, each an object. */
  children(name: string): [string, Fields][] {
    const child = this.child(name);
    return (child?.names() ?? []).flatMap((key) => {
      const one = child?.child(key);
      return one ? [[key, one] as [string, Fields]] : [];
    });
  }

  /** An object of strings. */
  map(name: string): Record<string, string> {
    const child = this.child(name);
    const entries = (child?.names() ?? []).map((key) => [key, child?.text(key) ?? ""] as const);
    return Object.fromEntries(entries);
  }

  names(): string[] {
    return Object.keys(this.object);
  }

  /** A percentage that must be whole: `{value: 10}`; `absent` where there is none. */
  percent(name: string, absent: number): number {
    const child = this.child(name);
    if (!child) return absent;
    // proto3: an absent number is 0.
    const value = child.number("value") ?? 0;
    child.finish();
    if (Number.isInteger(value) && value >= 0 && value <= 100) return value;
    child.error("value", `expected a whole number of 0 to 100, because the module draws of a hundred; got ${value}`);
    return 0;
  }

  /** Refuses fields for a reason, where they are given. */
  refuse(why: string, ...names: string[]): void {
    for (const name of names) if (this.raw(name) !== undefined) this.error(name, why);
  }

  /** Warns of fields, where they are given. */
  warnOf(warning: WarningName, why: string, ...names: string[]): void {
    for (const name of names) if (this.raw(name) !== undefined) this.warn(warning, name, why);
  }

  /** Takes note of fields that need nothing done. */
  skip(...names: string[]): void {
    for (const name of names) this.asked.add(name);
  }

  /** Refuses what nobody has asked for. */
  finish(): void {
    for (const name of this.names()) {
      if (this.asked.has(name) || this.object[name] === null) continue;
      this.error(name, "there is no such field in Istio's API, or it is not known here");
    }
  }
}
