import { View } from "../bytes/view";
import { ConfigErrors } from "../config/errors";
import { ObjectReader } from "../config/object";
import { JsonValue } from "../config/value";
import { RouterBuilder, RouterOptions } from "./builder";
import { FixedCluster } from "./clusters";
import { HashPolicy } from "./hash_policy";
import { HeaderOps } from "./header_ops";
import { HostTable } from "./hosts";
import { RouteInput } from "./input";
import { Lookups, RouteMatch } from "./matchers";
import { readFilterConfigs, readRoute } from "./read_route";
import { RetryPolicy } from "./retry";
import { Rewrite } from "./rewrite";
import { Route } from "./route";

/** The routes of one virtual host, in order. */
class VirtualHost {
  readonly routes: Route[] = [];

  match(input: RouteInput, lookups: Lookups): Route | null {
    for (let i = 0; i < this.routes.length; i++) {
      const route = unchecked(this.routes[i]);
      const matches = route.match.matches(input, lookups);
      // It might be this one's: the next one's rules are not for it.
      if (lookups.failed) return null;
      if (matches) return route;
    }
    return null;
  }
}

/**
 * MOSN's router (docs/reference/mosn.md#router): finds the route of a request. One per configuration and VM; `match` allocates
 * nothing and is not re-entered.
 */
export class Router {
  private readonly hosts: HostTable = new HostTable();
  private readonly virtualHosts: VirtualHost[] = [];
  private readonly lookups: Lookups = new Lookups();
  private readonly host: View = new View();
  /** The route of every request, where there is only one that matches all. */
  private only: Route | null = null;

  private constructor() {}

  /** A router that sends every request to one cluster. */
  static toCluster(name: string): Router {
    const options = new RouterOptions();
    options.defaultCluster = name;
    return Router.parse(null, "router", new ConfigErrors(), options);
  }

  /**
   * Builds a router from MOSN's JSON; null or {} is one that sends every request to the default cluster. Errors, with
   * paths from `path` on, go to `errors`: then the router must not be used.
   */
  static parse(value: JsonValue | null, path: string, errors: ConfigErrors, options: RouterOptions): Router {
    const from = new ObjectReader(value, path, errors);
    const builder = new RouterBuilder(options);
    const router = new Router();
    const request = new HeaderOps();
    const response = new HeaderOps();
    from.string("router_config_name");
    request.read(from, "request");
    response.read(from, "response");
    const hosts = from.objects("virtual_hosts");
    if (from.has("virtual_hosts") && hosts.length == 0) from.fail("virtual_hosts", "must not be empty");
    for (let i = 0; i < hosts.length; i++) router.readHost(hosts[i], i, builder);
    from.finish();
    if (hosts.length == 0) router.addDefault(builder);
    for (let i = 0; i < router.virtualHosts.length; i++) addOps(router.virtualHosts[i].routes, request, response);
    router.findOnly();
    return router;
  }

  /** Whether the last `match` found none because an expression failed (`Regex.search`). */
  get failed(): bool {
    return this.lookups.failed;
  }

  /** The route for a request; null: none matches, or which one does cannot be told (`failed`). */
  match(input: RouteInput): Route | null {
    this.lookups.failed = false;
    const only = this.only;
    if (only !== null) return only;
    const index = this.hostIndex(input);
    if (index < 0 || index >= this.virtualHosts.length) return null;
    this.lookups.round++;
    return unchecked(this.virtualHosts[index]).match(input, this.lookups);
  }

  private hostIndex(input: RouteInput): i32 {
    const hosts = this.hosts;
    const host = this.host;
    if (hosts.onlyDefault || !input.host(host) || host.length == 0) return hosts.defaultHost;
    return hosts.find(host.ptr, host.length);
  }

  private readHost(from: ObjectReader, index: i32, builder: RouterBuilder): void {
    const host = new VirtualHost();
    const name = from.string("name", index.toString());
    const domains = from.strings("domains");
    if (domains.length == 0) from.fail("domains", "must name at least one domain");
    for (let i = 0; i < domains.length; i++) {
      const error = this.hosts.add(domains[i], index);
      if (error.length > 0) from.errors.add(`${from.pathOf("domains")}[${i}]`, from.items("domains")[i], error);
    }
    from.choice("require_tls", 0, ["", "NONE"]);
    const request = new HeaderOps();
    const response = new HeaderOps();
    request.read(from, "request");
    response.read(from, "response");
    const configs = readFilterConfigs(from, builder.options);
    const routers = from.objects("routers");
    for (let i = 0; i < routers.length; i++) {
      const route = readRoute(routers[i], `${name}[${i}]`, builder);
      route.filterConfigs.inherit(configs);
      host.routes.push(route);
    }
    from.finish();
    addOps(host.routes, request, response);
    this.virtualHosts.push(host);
  }

  private addDefault(builder: RouterBuilder): void {
    const none = new ObjectReader(null, "", new ConfigErrors());
    const match = new RouteMatch(null, new StaticArray(0), new StaticArray(0));
    const choice = builder.choice(builder.options.defaultCluster, new Map<string, string>());
    const host = new VirtualHost();
    const rewrite = new Rewrite(none, null);
    const picker = new FixedCluster(choice);
    host.routes.push(new Route("default", match, picker, new RetryPolicy(none), rewrite, new HashPolicy(none)));
    this.hosts.add("*", 0);
    this.virtualHosts.push(host);
  }

  private findOnly(): void {
    if (!this.hosts.onlyDefault || this.virtualHosts.length != 1) return;
    const routes = this.virtualHosts[0].routes;
    if (routes.length > 0 && routes[0].match.always) this.only = routes[0];
  }
}

function addOps(routes: Route[], request: HeaderOps, response: HeaderOps): void {
  for (let i = 0; i < routes.length; i++) {
    routes[i].requestOps.then(request);
    routes[i].responseOps.then(response);
  }
}
