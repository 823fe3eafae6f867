import type { HeaderMap } from "./header-map.ts";

/** What a request's route says. */
export interface HttpRoute {
  /** Default: none, as most routes have. */
  name?: string;
  /** Default `upstream`. */
  cluster?: string;
  /** `metadata.filter_metadata`: by namespace and key. A text is one; anything else makes a test's life hard. */
  metadata?: Record<string, Record<string, string>>;
}

/** The route table: the route of a request by its headers; null where none matches. */
export type RouteTable = (headers: HeaderMap) => HttpRoute | null;

/**
 * The route of one stream: filters see the one that was found first, even after the cache was cleared; the router, and
 * filters of responses, the one that is found anew.
 */
export class StreamRoute {
  private cached: HttpRoute | null = null;
  private shown: HttpRoute | null = null;
  private valid = false;
  /** How often the table was asked. */
  matches = 0;

  constructor(private readonly table: RouteTable) {}

  match(headers: HeaderMap): void {
    this.shown = this.resolve(headers);
  }

  clear(): void {
    this.valid = false;
  }

  /** The router asks: the route that counts. */
  resolve(headers: HeaderMap): HttpRoute | null {
    if (!this.valid) {
      this.cached = this.table(headers);
      this.valid = true;
      this.matches++;
    }
    return this.cached;
  }

  /** The router has it: filters of the response see it, too. */
  show(route: HttpRoute | null): void {
    this.shown = route;
  }

  /** `xds/…` of the route; undefined: no property of a route. */
  property(path: string): Buffer | null | undefined {
    const METADATA = "xds/route_metadata/filter_metadata/";
    const route = this.shown;
    if (path === "xds/route_name") return route === null ? null : Buffer.from(route.name ?? "");
    if (path === "xds/cluster_name") return route === null ? null : Buffer.from(route.cluster ?? "upstream");
    if (!path.startsWith(METADATA)) return undefined;
    const [namespace, key] = path.slice(METADATA.length).split("/");
    const value = route?.metadata?.[namespace]?.[key];
    return value === undefined ? null : Buffer.from(value);
  }
}
