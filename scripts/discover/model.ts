// What sources tell and targets write: services, their hosts, and the rules of their registries.
import { isIP } from "node:net";

/** One host of a service, as it has registered. */
export interface Endpoint {
  /** An IP address. */
  host: string;
  port: number;
  /** `bolt`, `dubbo`, `tri`, … */
  protocol: string;
  /** Share of the calls beside the other hosts; 0: none as long as others have some. */
  weight: number;
  /** An operator has switched it off: it stays known, and gets no call. */
  enabled: boolean;
  version: string;
  group: string;
  /** Calls with this tag go to it, others do not; "": calls without a tag. */
  tag: string;
  zone: string;
  serialization: string;
  application: string;
  /** What the provider proposes to its callers, in ms; 0: nothing. */
  timeoutMs: number;
  methods: string[];
}

/** What an operator has set for the callers of a service, by a configurator of Dubbo. */
export interface CallRules {
  /** For whole calls, in ms; 0: none. */
  timeoutMs: number;
}

/** The hosts of one service, as its registry has them now. */
export interface Offer {
  /** The service as requests name it: `com.example.Hello` (Dubbo), `com.example.Hello:1.0` (SOFARPC). */
  service: string;
  endpoints: Endpoint[];
  rules?: CallRules;
}

/** Who hears of a source's news. A source calls it whenever it likes, one call a change. */
export interface Listener {
  /** All hosts of one service; none: it has none any more. */
  offer(offer: Offer): void;
  /**
   * Everything that the registry has was offered since the connection opened: services that were not offered since
   * `connected` are gone.
   */
  synced(): void;
  /** The connection opened (the registry will now be read anew), or it is lost; what was told stays. */
  connected(up: boolean, why: string): void;
  /** Something is left out or means nothing here. Told once as long as `key` and the text stay the same. */
  warn(key: string, text: string): void;
  /** What `key` was warned of is no longer so. */
  unwarn(key: string): void;
}

/** Where services are found: a registry, or a file. */
export interface Source {
  readonly name: string;
  /** Begins to watch. It reconnects by itself, for ever; throws only what no retry can mend. */
  start(listener: Listener): Promise<void>;
  /** Ends the watch, the registry's session with it. */
  close(): Promise<void>;
}

/** A mistake of the user's; its message is one line that says what is allowed. */
export class BadInput extends Error {}

/** An endpoint with what is usual. */
export function endpoint(fields: Partial<Endpoint> & Pick<Endpoint, "host" | "port" | "protocol">): Endpoint {
  return {
    weight: 100,
    enabled: true,
    version: "",
    group: "",
    tag: "",
    zone: "",
    serialization: "",
    application: "",
    timeoutMs: 0,
    methods: [],
    ...fields,
  };
}

/** `IP:PORT`, IPv6 in brackets. */
export function addressOf({ host, port }: Pick<Endpoint, "host" | "port">): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What makes two registrations the same host of a service. */
export function identityOf(one: Endpoint): string {
  return `${one.protocol} ${addressOf(one)} ${one.version} ${one.group}`;
}

/** Most of a name that comes from a registry. */
const MAX_NAME = 512;
/** Names end up in files, headers and log lines: visible ASCII. A star would be a pattern in a domain. */
const NAME = /^[!-)+-~]+$/;

/** Why this text cannot name a service; undefined: it can. */
export function badName(name: string): string | undefined {
  if (name.length > MAX_NAME) return `longer than ${MAX_NAME} characters`;
  return NAME.test(name) ? undefined : "expected visible ASCII without spaces and stars";
}

/** Why Envoy cannot connect there; undefined: it can. Envoy refuses a whole file for one address that is none. */
export function badAddress(host: string, port: number): string | undefined {
  if (isIP(host) === 0) return `expected an IP address, got "${host.slice(0, 100)}"`;
  if (host === "0.0.0.0" || host === "::") return `${host} is no address to connect to`;
  if (!Number.isInteger(port) || port < 1 || port > 65535) return `expected a port from 1 to 65535, got ${port}`;
  return undefined;
}
