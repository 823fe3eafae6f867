import { JsonValue } from "./value";

/** Most mistakes that are told of one configuration. */
export const MAX_MISTAKES: i32 = 20;

/** The mistakes of a configuration, in the order in which they are found, without those that follow from others. */
export class ConfigErrors {
  /** Each readable, with the path of the field and its place in the text: at most `MAX_MISTAKES`. */
  readonly messages: string[] = [];
  /** There were more than that. */
  cut: bool = false;
  private readonly paths: string[] = [];
  /** Paths of values of a wrong type: what is missing in them is no further mistake. */
  private readonly unread: string[] = [];

  get failed(): bool {
    return this.messages.length > 0;
  }

  /** Whether no more mistakes are noted: reading on is of no use. */
  get full(): bool {
    return this.cut;
  }

  /** The first mistake; empty: there is none. */
  get message(): string {
    return this.messages.length > 0 ? this.messages[0] : "";
  }

  /**
   * Notes a mistake, unless there is one at that path or below: then this one follows from it.
   * @param path of the field, as `router.virtual_hosts[0].name`; empty: the whole configuration
   * @param at the value that is wrong, for its line and column
   */
  add(path: string, at: JsonValue | null, text: string): void {
    if (!this.knows(path)) this.tell(path, at, text);
  }

  /** Notes a mistake that follows from no other one; see `add`. */
  tell(path: string, at: JsonValue | null, text: string): void {
    for (let i = 0; i < this.unread.length; i++) if (isWithin(path, this.unread[i])) return;
    if (this.messages.length >= MAX_MISTAKES) {
      this.cut = true;
      return;
    }
    const where = path.length > 0 ? path : "configuration";
    const place = at === null || at.line == 0 ? "" : ` (line ${at.line}, column ${at.column})`;
    this.messages.push(where + place + ": " + text);
    this.paths.push(path);
  }

  /** Notes a value of a wrong type; see `add`. */
  addType(path: string, at: JsonValue, expected: string): void {
    this.add(path, at, `expected ${expected}, got ${at.describe()}`);
    if (this.unread.length < MAX_MISTAKES) this.unread.push(path);
  }

  /** Whether there is a mistake at that path or below. */
  knows(path: string): bool {
    for (let i = 0; i < this.paths.length; i++) if (isWithin(this.paths[i], path)) return true;
    return false;
  }
}

/** Whether a path is another one, or leads to something in it. */
function isWithin(path: string, outer: string): bool {
  if (outer.length == 0 || path == outer) return true;
  if (!path.startsWith(outer)) return false;
  const next = path.charCodeAt(outer.length);
  return next == 0x2e || next == 0x5b;
}
