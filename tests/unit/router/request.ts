// A request, and the headers of a message, made of texts: what the router's specs route.
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";
import { RouterOptions } from "../../../assembly/router/builder";
import { ClusterChoice } from "../../../assembly/router/clusters";
import { RouteInput } from "../../../assembly/router/input";
import { Route } from "../../../assembly/router/route";
import { Router } from "../../../assembly/router/router";
import { HeaderVisitor, Headers } from "../../../assembly/message/headers";

function point(bytes: Bytes, out: View): bool {
  out.set(bytes.ptr, bytes.length);
  return true;
}

export function textAt(ptr: usize, length: i32): string {
  return String.UTF8.decodeUnsafe(ptr, length, false);
}

/** A request; what is not set is not there. */
export class TestRequest extends RouteInput {
  private headers: Map<string, Bytes> = new Map<string, Bytes>();
  private variables: Map<string, Bytes> = new Map<string, Bytes>();
  private parts: Map<string, Bytes> = new Map<string, Bytes>();
  /** How often headers were looked up. */
  lookups: i32 = 0;

  /** Sets "host", "path", "method", "service" or "source". */
  with(part: string, text: string): TestRequest {
    this.parts.set(part, Bytes.of(text));
    return this;
  }

  withHeader(name: string, value: string): TestRequest {
    this.headers.set(name, Bytes.of(value));
    return this;
  }

  withVariable(name: string, value: string): TestRequest {
    this.variables.set(name, Bytes.of(value));
    return this;
  }

  header(key: usize, keyLength: i32, out: View): bool {
    this.lookups++;
    const name = textAt(key, keyLength);
    return this.headers.has(name) && point(this.headers.get(name), out);
  }

  variable(name: Bytes, out: View): bool {
    const text = name.toString();
    return this.variables.has(text) && point(this.variables.get(text), out);
  }

  private part(name: string, out: View): bool {
    return this.parts.has(name) && point(this.parts.get(name), out);
  }

  path(out: View): bool {
    return this.part("path", out);
  }

  host(out: View): bool {
    return this.part("host", out);
  }

  method(out: View): bool {
    return this.part("method", out);
  }

  service(out: View): bool {
    return this.part("service", out);
  }

  sourceAddress(out: View): bool {
    return this.part("source", out);
  }
}

/** Headers as a list of pairs. */
export class TestHeaders extends Headers {
  private names: string[] = [];
  private values: Bytes[] = [];

  constructor(pairs: string[][] = []) {
    super();
    for (let i = 0; i < pairs.length; i++) {
      this.names.push(pairs[i][0]);
      this.values.push(Bytes.of(pairs[i][1]));
    }
  }

  get(key: usize, keyLength: i32, out: View): bool {
    const index = this.names.indexOf(textAt(key, keyLength));
    return index >= 0 && point(this.values[index], out);
  }

  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    const name = textAt(key, keyLength);
    const first = this.names.indexOf(name);
    if (first < 0) return this.add(key, keyLength, value, valueLength);
    this.values[first] = Bytes.copy(value, valueLength);
    for (let i = this.names.length - 1; i > first; i--) if (this.names[i] == name) this.drop(i);
  }

  add(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    this.names.push(textAt(key, keyLength));
    this.values.push(Bytes.copy(value, valueLength));
  }

  remove(key: usize, keyLength: i32): i32 {
    const name = textAt(key, keyLength);
    const before = this.names.length;
    for (let i = before - 1; i >= 0; i--) if (this.names[i] == name) this.drop(i);
    return before - this.names.length;
  }

  private drop(index: i32): void {
    this.names.splice(index, 1);
    this.values.splice(index, 1);
  }

  forEachOf(key: usize, keyLength: i32, visitor: HeaderVisitor): void {
    const name = textAt(key, keyLength);
    for (let i = 0; i < this.names.length; i++) {
      const value = this.values[i];
      if (this.names[i] == name && !visitor.onHeader(key, keyLength, value.ptr, value.length)) return;
    }
  }

  get incomplete(): bool {
    return false;
  }

  forEach(visitor: HeaderVisitor): void {
    for (let i = 0; i < this.names.length; i++) {
      const name = Bytes.of(this.names[i]);
      const value = this.values[i];
      if (!visitor.onHeader(name.ptr, name.length, value.ptr, value.length)) return;
    }
  }

  get changed(): bool {
    return true;
  }

  /** "name=value" of each, with "; " between. */
  toString(): string {
    const parts: string[] = [];
    for (let i = 0; i < this.names.length; i++) parts.push(this.names[i] + "=" + this.values[i].toString());
    return parts.join("; ");
  }
}

/** Builds the router of a JSON text, which may have ' for ". */
export function buildRouter(text: string, errors: ConfigErrors, options: RouterOptions = new RouterOptions()): Router {
  const bytes = Bytes.of(text.replaceAll("'", '"'));
  return Router.parse(parseJson(bytes.ptr, bytes.length, errors), "router", errors, options);
}

/** A router with one virtual host for all, and these routes. */
export function routes(text: string, options: RouterOptions = new RouterOptions()): Router {
  const errors = new ConfigErrors();
  const router = buildRouter(`{'virtual_hosts':[{'name':'v','domains':['*'],'routers':[${text}]}]}`, errors, options);
  assert(!errors.failed, errors.message);
  return router;
}

/** The cluster a request goes to; "-" without a route, "?" where the route names none. */
export function clusterOf(router: Router, request: RouteInput): string {
  const route = router.match(request);
  if (route === null) return "-";
  const choice = route.pickCluster(request);
  return choice === null ? "?" : choice.name.toString();
}

/** The route of a request that has one. */
export function routeOf(router: Router, request: RouteInput): Route {
  const route = router.match(request);
  assert(route !== null, "no route");
  return route as Route;
}

/** The choice of a request that has one. */
export function choiceOf(router: Router, request: RouteInput): ClusterChoice {
  const choice = routeOf(router, request).pickCluster(request);
  assert(choice !== null, "no cluster");
  return choice as ClusterChoice;
}
