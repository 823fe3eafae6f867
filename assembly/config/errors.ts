import { JsonValue } from "./value";

/** The first error found in a configuration; later ones, often its consequences, are dropped. */
export class ConfigErrors {
  /** Readable, with the path of the field and its place in the text; empty: no error. */
  message: string = "";

  get failed(): bool {
    return this.message.length > 0;
  }

  /**
   * Notes an error.
   * @param path of the field, as `router.virtual_hosts[0].name`; empty: the whole configuration
   * @param at the value that is wrong, for its line and column
   */
  add(path: string, at: JsonValue | null, text: string): void {
    if (this.failed) return;
    const where = path.length > 0 ? path : "configuration";
    const place = at === null || at.line == 0 ? "" : ` (line ${at.line}, column ${at.column})`;
    this.message = where + place + ": " + text;
  }
}
