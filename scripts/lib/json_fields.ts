// Reads one object of JSON or YAML field by field: types are checked, and mistakes told with their path.

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/** A value for a message, short. */
const shown = (value: Json): string => JSON.stringify(value).slice(0, 60);

/** What is common to the readers of MOSN's files and of Istio's resources. */
export abstract class JsonFields {
  constructor(
    protected readonly object: JsonObject,
    readonly path: string,
  ) {}

  /** The value of a field, whatever it is, which counts as asked for; undefined where there is none or it is null. */
  abstract raw(name: string): Json | undefined;

  /** Tells of a mistake at a path. */
  protected abstract mistake(path: string, message: string): void;

  /** A reader of the same kind for an object inside this one. */
  protected abstract nested(object: JsonObject, path: string): this;

  /** The path of a field. */
  at(name: string): string {
    return this.path ? `${this.path}.${name}` : name;
  }

  protected wrong(name: string, expected: string, value: Json): undefined {
    this.mistake(this.at(name), `expected ${expected}, got ${shown(value)}`);
    return undefined;
  }

  text(name: string): string | undefined {
    const value = this.raw(name);
    return value === undefined || typeof value === "string" ? value : this.wrong(name, "a string", value);
  }

  child(name: string): this | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : this.objectAt(value, this.at(name));
  }

  private objectAt(value: Json, path: string): this | undefined {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return this.nested(value, path);
    this.mistake(path, `expected an object, got ${shown(value)}`);
    return undefined;
  }

  private values(name: string): Json[] {
    const value = this.raw(name);
    if (value === undefined || Array.isArray(value)) return value ?? [];
    this.wrong(name, "a list", value);
    return [];
  }

  list(name: string): this[] {
    return this.values(name).flatMap((value, i) => this.objectAt(value, `${this.at(name)}[${i}]`) ?? []);
  }

  texts(name: string): string[] {
    return this.values(name).flatMap((value, i) => {
      if (typeof value === "string") return [value];
      this.mistake(`${this.at(name)}[${i}]`, `expected a string, got ${shown(value)}`);
      return [];
    });
  }
}
