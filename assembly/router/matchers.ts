import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { equalsFold } from "./fold";
import { RouteInput } from "./input";
import { Found } from "../regex/budget";
import { Regex } from "../regex/regex";

/** What is looked up of one request while routes are tried, so that it is looked up once. */
export class Lookups {
  /** Changes with every request. */
  round: u32 = 0;
  /** An expression could not be searched for: what matches is not known. */
  failed: bool = false;
  private readonly view: View = new View();
  private pathRound: u32 = 0;
  private hasPath: bool = false;

  /** The path of the request; null when it has none. */
  path(input: RouteInput): View | null {
    if (this.pathRound != this.round) {
      this.pathRound = this.round;
      this.hasPath = input.path(this.view);
    }
    return this.hasPath ? this.view : null;
  }

  /** Whether the expression is in the text; false, and `failed`, when that cannot be told. */
  finds(regex: Regex, text: View): bool {
    const found = regex.search(text.ptr, text.length);
    if (found == Found.FAILED) this.failed = true;
    return found == Found.YES;
  }
}

/** Where "service" and "method" are found when no header is called so. */
const enum Fallback {
  NONE = 0,
  SERVICE = 1,
  METHOD = 2,
}

/** One header name that routes ask for: looked up at most once per request. */
export class HeaderSlot {
  readonly view: View = new View();
  private round: u32 = 0;
  private found: bool = false;
  private readonly fallback: Fallback;

  constructor(readonly name: Bytes) {
    const text = name.toString();
    this.fallback = text == "service" ? Fallback.SERVICE : text == "method" ? Fallback.METHOD : Fallback.NONE;
  }

  /** Whether the request has the header: then `view` is its value. */
  lookUp(input: RouteInput, round: u32): bool {
    if (this.round == round) return this.found;
    this.round = round;
    this.found = input.header(this.name.ptr, this.name.length, this.view);
    if (!this.found && this.fallback == Fallback.SERVICE) this.found = input.service(this.view);
    if (!this.found && this.fallback == Fallback.METHOD) this.found = input.method(this.view);
    return this.found;
  }
}

/** One entry of `headers`: the header is there, and has this value or matches this expression. */
export class HeaderMatcher {
  /**
   * @param regex null: the value must be exactly `value`
   * @param anyValue MOSN's RPC rule `service` = ".*": any value but an empty one
   */
  constructor(
    private readonly slot: HeaderSlot,
    private readonly value: Bytes,
    private readonly regex: Regex | null,
    private readonly anyValue: bool,
  ) {}

  matches(input: RouteInput, lookups: Lookups): bool {
    const slot = this.slot;
    if (!slot.lookUp(input, lookups.round)) return false;
    const view = slot.view;
    if (this.anyValue) return view.length > 0;
    const regex = this.regex;
    return regex === null ? this.value.equals(view.ptr, view.length) : lookups.finds(regex, view);
  }
}

/** How the path of a request is compared. */
export const enum PathKind {
  PREFIX = 0,
  /** The whole path; ASCII case does not count. */
  EXACT = 1,
  REGEX = 2,
}

/** `prefix`, `path` or `regex` of a match. */
export class PathMatcher {
  constructor(
    readonly kind: PathKind,
    readonly text: Bytes,
    private readonly regex: Regex | null,
  ) {}

  matches(path: View, lookups: Lookups): bool {
    if (path.length == 0) return false;
    const regex = this.regex;
    if (regex !== null) return lookups.finds(regex, path);
    return this.kind == PathKind.PREFIX
      ? this.text.isPrefixOf(path.ptr, path.length)
      : equalsFold(this.text.ptr, this.text.length, path.ptr, path.length);
  }
}

/** One entry of `variables`. */
export class VariableMatcher {
  private readonly view: View = new View();

  /** @param or whether the entry is combined with the next one by "or" */
  constructor(
    private readonly name: Bytes,
    private readonly value: Bytes,
    private readonly regex: Regex | null,
    readonly or: bool,
  ) {}

  /** A variable without value counts as empty. */
  matches(input: RouteInput, lookups: Lookups): bool {
    const view = this.view;
    if (!input.variable(this.name, view)) view.set(0, 0);
    const regex = this.regex;
    return regex === null ? this.value.equals(view.ptr, view.length) : lookups.finds(regex, view);
  }
}

/** All conditions of a route. */
export class RouteMatch {
  constructor(
    readonly path: PathMatcher | null,
    private readonly headers: StaticArray<HeaderMatcher>,
    private readonly variables: StaticArray<VariableMatcher>,
  ) {}

  /** Whether every request matches. */
  get always(): bool {
    return this.path === null && this.headers.length == 0 && this.variables.length == 0;
  }

  matches(input: RouteInput, lookups: Lookups): bool {
    const wanted = this.path;
    if (wanted !== null) {
      const path = lookups.path(input);
      if (path === null || !wanted.matches(path, lookups)) return false;
    }
    for (let i = 0; i < this.headers.length; i++) {
      if (!unchecked(this.headers[i]).matches(input, lookups)) return false;
    }
    return this.variables.length == 0 || this.variablesMatch(input, lookups);
  }

  /**
   * From left to right, as MOSN: "and" combines with the result so far, after "or" the result starts anew, and a true
   * result before "or" is final.
   */
  private variablesMatch(input: RouteInput, lookups: Lookups): bool {
    let result = true;
    let or = false;
    for (let i = 0; i < this.variables.length; i++) {
      const variable = unchecked(this.variables[i]);
      if (or || result) result = variable.matches(input, lookups);
      or = variable.or;
      if (result && or) return true;
    }
    return result;
  }
}
