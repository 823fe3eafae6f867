import { Bytes } from "../bytes/bytes";
import { ObjectReader } from "../config/object";
import { suggestion } from "../config/suggest";
import { readRegex } from "../regex/read_regex";
import { RouterBuilder } from "./builder";
import { HeaderMatcher, PathKind, PathMatcher, RouteMatch, VariableMatcher } from "./matchers";
import { hasVariable, unknownVariable } from "./variables";

/** How a variable's condition goes together with the one before it. */
const MODELS: string[] = ["and", "or"];

/** Reads `match` of a route (docs/reference/mosn.md#match): all conditions given must hold. */
export function readMatch(match: ObjectReader, builder: RouterBuilder): RouteMatch {
  const path = readPath(match);
  const headers: HeaderMatcher[] = [];
  const headerObjects = match.objects("headers");
  const variableObjects = match.objects("variables");
  // MOSN's rule for RPC: one header "service", and nothing else.
  const rpc = headerObjects.length == 1 && variableObjects.length == 0 && path === null;
  for (let i = 0; i < headerObjects.length; i++) headers.push(readHeader(headerObjects[i], builder, rpc));
  const variables: VariableMatcher[] = [];
  for (let i = 0; i < variableObjects.length; i++) variables.push(readVariable(variableObjects[i]));
  if (match.has("dsl_expressions")) match.fail("dsl_expressions", "not supported yet; use headers or variables");
  match.finish();
  return new RouteMatch(path, StaticArray.fromArray(headers), StaticArray.fromArray(variables));
}

function readPath(match: ObjectReader): PathMatcher | null {
  const prefix = match.string("prefix");
  const path = match.string("path");
  const regex = match.string("regex");
  const given = (prefix.length > 0 ? 1 : 0) + (path.length > 0 ? 1 : 0) + (regex.length > 0 ? 1 : 0);
  if (given > 1) match.refuse("expected at most one of prefix, path, regex");
  if (prefix.length > 0) return new PathMatcher(PathKind.PREFIX, Bytes.of(prefix), null);
  if (path.length > 0) return new PathMatcher(PathKind.EXACT, Bytes.of(path), null);
  if (regex.length > 0) return new PathMatcher(PathKind.REGEX, Bytes.of(regex), readRegex(match, "regex"));
  return null;
}

function readHeader(header: ObjectReader, builder: RouterBuilder, rpc: bool): HeaderMatcher {
  const name = header.required("name");
  const value = header.string("value");
  const isRegex = header.bool("regex", false);
  header.finish();
  const anyValue = rpc && name == "service" && value == ".*";
  const regex = isRegex && !anyValue ? readRegex(header, "value") : null;
  return new HeaderMatcher(builder.slot(name), Bytes.of(value), regex, anyValue);
}

function readVariable(variable: ObjectReader): VariableMatcher {
  const name = variable.required("name");
  const value = variable.string("value");
  const pattern = variable.string("regex");
  const model = variable.string("model", "and").toLowerCase();
  variable.finish();
  if (name.length > 0 && !hasVariable(name)) variable.fail("name", unknownVariable(name));
  if (value.length > 0 == pattern.length > 0)
    variable.failTogether(["value", "regex"], "expected either value or regex");
  if (!MODELS.includes(model)) {
    const like = suggestion(model, MODELS);
    variable.fail("model", `expected one of "and", "or", got "${model}"${like}`);
  }
  const regex = pattern.length > 0 ? readRegex(variable, "regex") : null;
  return new VariableMatcher(Bytes.of(name), Bytes.of(value), regex, model == "or");
}
