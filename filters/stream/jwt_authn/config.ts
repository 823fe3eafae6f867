import { ObjectReader } from "../../../assembly/config/object";
import { oneOf, protoFields } from "../../../assembly/config/proto_fields";
import { HeaderMatcher } from "../../../assembly/policy/header_matcher";
import { matchPath } from "../../../assembly/policy/path";
import { TextMatcher } from "../../../assembly/policy/text_matcher";
import { Verdict } from "../../../assembly/policy/verdict";
import { FilterConfig } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { Provider } from "./provider";
import { readProvider } from "./read_provider";
import { AllOf, AnyOf, OfProvider, Optional, Requirement } from "./requirement";

const PATHS: string[] = ["prefix", "path", "safe_regex", "path_separated_prefix"];
const KINDS: string[] = [
  "provider_name",
  "provider_and_audiences",
  "requires_any",
  "requires_all",
  "allow_missing",
  "allow_missing_or_failed",
];
/** One of `rules`: which requests it is about, and what they have to have. */
export class Rule {
  readonly headers: HeaderMatcher[] = [];

  /**
   * @param text of the path
   * @param everything any path will do
   * @param requirement null: nothing
   */
  constructor(
    private readonly text: TextMatcher,
    private readonly everything: bool,
    readonly requirement: Requirement | null,
  ) {}

  test(handler: StreamHandler): Verdict {
    if (this.everything) return this.testHeaders(handler, Verdict.YES);
    return this.testHeaders(handler, matchPath(handler, this.text));
  }

  private testHeaders(handler: StreamHandler, path: Verdict): Verdict {
    let result = path;
    for (let i = 0, n = this.headers.length; i < n && result != Verdict.NO; i++) {
      const verdict = unchecked(this.headers[i]).test(handler);
      if (verdict != Verdict.YES) result = verdict;
    }
    return result;
  }
}

/** Configuration of `jwt_authn`: Envoy's JwtAuthentication. */
export class JwtAuthnConfig extends FilterConfig {
  readonly providers: Provider[] = [];
  readonly rules: Rule[] = [];
  readonly bypassesPreflight: bool;
  private readonly names: string[] = [];
  private readonly named: Map<string, Requirement> = new Map<string, Requirement>();

  /** @param http whether it is for requests of HTTP */
  constructor(
    from: ObjectReader,
    readonly http: bool,
  ) {
    super();
    protoFields(from);
    const providers = from.object("providers");
    const names = providers.value.members.keys();
    for (let i = 0; i < names.length; i++) {
      this.names.push(names[i]);
      this.providers.push(readProvider(names[i], providers.object(names[i]), http));
    }
    const map = from.object("requirement_map");
    const keys = map.value.members.keys();
    for (let i = 0; i < keys.length; i++) this.named.set(keys[i], this.readRequirement(map.object(keys[i])));
    const rules = from.objects("rules");
    for (let i = 0; i < rules.length; i++) this.rules.push(this.readRule(rules[i]));
    this.bypassesPreflight = from.bool("bypass_cors_preflight", false);
    from.finish();
  }

  get needsChanges(): bool {
    for (let i = 0; i < this.providers.length; i++) if (this.providers[i].output.tells) return true;
    return false;
  }

  private readRule(from: ObjectReader): Rule {
    protoFields(from);
    const requirement = this.requirementOf(from);
    const match = protoFields(from.object("match"));
    const kind = oneOf(match, PATHS);
    const folds = !match.bool("case_sensitive", true);
    const prefix = match.string("prefix");
    const path = match.string("path");
    const separated = match.string("path_separated_prefix");
    let text = TextMatcher.segments(separated, folds);
    if (kind == "prefix") text = TextMatcher.prefix(prefix, folds);
    else if (kind == "path") text = TextMatcher.exact(path, folds);
    else if (kind == "safe_regex") text = TextMatcher.regex(match.object(kind));
    const everything = kind == "prefix" && (prefix.length == 0 || prefix == "/");
    const rule = new Rule(text, everything, requirement);
    const headers = match.objects("headers");
    for (let i = 0; i < headers.length; i++) rule.headers.push(HeaderMatcher.read(headers[i], !this.http));
    match.finish();
    from.finish();
    return rule;
  }

  private requirementOf(from: ObjectReader): Requirement | null {
    const name = from.string("requirement_name");
    if (from.has("requires") && name.length > 0) from.refuse("expected at most one of requires, requirement_name");
    if (from.has("requires")) return this.readRequirement(from.object("requires"));
    if (name.length == 0) return null;
    if (this.named.has(name)) return this.named.get(name);
    from.fail("requirement_name", "requirement_map has no such name");
    return null;
  }

  private provider(from: ObjectReader): Provider | null {
    const name = from.required("provider_name");
    const at = this.names.indexOf(name);
    if (at >= 0) return this.providers[at];
    if (name.length > 0) from.fail("provider_name", "providers has no such name");
    return null;
  }

  private readRequirement(from: ObjectReader): Requirement {
    protoFields(from);
    const kind = oneOf(from, KINDS);
    const requirement = this.readKind(from, kind);
    from.finish();
    return requirement;
  }

  private readKind(from: ObjectReader, kind: string): Requirement {
    if (kind == "provider_name") {
      const provider = this.provider(from);
      return provider !== null ? new OfProvider(provider, null) : new AllOf([]);
    }
    if (kind == "provider_and_audiences") {
      const inner = protoFields(from.object(kind));
      const provider = this.provider(inner);
      const audiences = inner.strings("audiences");
      inner.finish();
      return provider !== null ? new OfProvider(provider, audiences) : new AllOf([]);
    }
    if (kind == "requires_any" || kind == "requires_all") {
      const inner = protoFields(from.object(kind));
      const parts = this.readParts(inner);
      inner.finish();
      return kind == "requires_any" ? new AnyOf(parts) : new AllOf(parts);
    }
    if (kind.length > 0) from.object(kind).finish();
    return new Optional(this.providers, kind == "allow_missing_or_failed");
  }

  private readParts(from: ObjectReader): Requirement[] {
    const items = from.objects("requirements");
    if (items.length < 2) from.fail("requirements", "must name at least two");
    const parts: Requirement[] = [];
    for (let i = 0; i < items.length; i++) parts.push(this.readRequirement(items[i]));
    return parts;
  }
}
