import { ByteBuffer } from "../bytes/buffer";
import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { ObjectReader } from "../config/object";
import { RouteInput } from "./input";
import { PathKind, PathMatcher } from "./matchers";
import { Regex } from "../regex/regex";
import { Replacement } from "../regex/replacement";

/** New path and host of a request (docs/reference/mosn.md#changes). RPC protocols carry neither: for HTTP only. Immutable. */
export class Rewrite {
  private prefix: Bytes = Bytes.EMPTY;
  private readonly newPrefix: Bytes;
  private regex: Regex | null = null;
  private replacement: Replacement | null = null;
  private readonly newHost: Bytes;
  private readonly hostHeader: Bytes;
  /** Whether the upstream host's name becomes the request's host. */
  readonly autoHost: bool;
  /** Whether there is anything to do. */
  readonly given: bool;

  /**
   * Reads the rewriting fields of a route.
   * @param path what the route matches
   */
  constructor(route: ObjectReader, path: PathMatcher | null) {
    this.newPrefix = route.bytes("prefix_rewrite");
    this.newHost = route.bytes("host_rewrite");
    this.autoHost = route.bool("auto_host_rewrite", false);
    this.hostHeader = route.bytes("auto_host_rewrite_header");
    if (this.newPrefix.length > 0) {
      if (path === null || path.kind == PathKind.REGEX) route.fail("prefix_rewrite", "needs a match by prefix or path");
      else this.prefix = path.text;
    }
    const byRegex = route.has("regex_rewrite");
    const rewrite = route.object("regex_rewrite");
    if (byRegex) this.readRegex(rewrite);
    if (byRegex && this.newPrefix.length > 0) route.fail("regex_rewrite", "contradicts prefix_rewrite");
    const hosts = (this.newHost.length > 0 ? 1 : 0) + (this.autoHost ? 1 : 0) + (this.hostHeader.length > 0 ? 1 : 0);
    if (hosts > 1) {
      route.refuse("expected at most one of host_rewrite, auto_host_rewrite, auto_host_rewrite_header");
    }
    this.given = byRegex || hosts > 0 || this.newPrefix.length > 0;
  }

  private readRegex(rewrite: ObjectReader): void {
    const pattern = rewrite.object("pattern");
    const text = pattern.required("regex");
    const re2 = pattern.object("google_re2");
    re2.integer("max_program_size", 0, 0, u32.MAX_VALUE);
    re2.finish();
    pattern.finish();
    const substitution = rewrite.string("substitution");
    rewrite.finish();
    const compiled = Regex.compile(text);
    const regex = compiled.regex;
    if (regex === null) return pattern.fail("regex", compiled.error);
    this.regex = regex;
    this.replacement = regex.replacement(substitution);
    if (this.replacement === null) pattern.fail("regex", "pattern too large for a replacement");
  }

  /** Appends the new path to `out`; false, and nothing appended, when the path stays. */
  path(ptr: usize, length: i32, out: ByteBuffer): bool {
    const prefix = this.prefix;
    if (this.newPrefix.length > 0 && prefix.isPrefixOf(ptr, length)) {
      out.append(this.newPrefix.ptr, this.newPrefix.length);
      out.append(ptr + (prefix.length as usize), length - prefix.length);
      return true;
    }
    const regex = this.regex;
    const replacement = this.replacement;
    return regex !== null && replacement !== null && regex.replaceAll(ptr, length, replacement, out);
  }

  /** Points `out` at the new host; false when the host stays, or is the upstream's (`autoHost`). */
  host(input: RouteInput, out: View): bool {
    if (this.newHost.length > 0) {
      out.set(this.newHost.ptr, this.newHost.length);
      return true;
    }
    return this.hostHeader.length > 0 && input.header(this.hostHeader.ptr, this.hostHeader.length, out);
  }
}
