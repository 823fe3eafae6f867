// The last good state: what sources offer, merged, with hosts that vanished by the half held back.
import { addressOf, badName, type CallRules, type Endpoint, identityOf, type Listener, type Offer } from "./model.ts";

export interface KeeperOptions {
  /** How long a drop of more than half of a service's hosts is held back, in ms; 0: not at all; Infinity: for ever. */
  holdMs: number;
  maxServices: number;
  /** Of one service. */
  maxHosts: number;
  now: () => number;
}

/** A service as targets see it. */
export interface Service {
  name: string;
  /** What callers may use: hosts that the registry has, and those that are held back. */
  endpoints: Endpoint[];
  rules: CallRules;
  /** Hosts among them that the registry has no more. */
  held: number;
}

interface Entry {
  /** By source: what it has told last. */
  offers: Map<string, Offer>;
  service: Service;
  /** When the present drop began. */
  heldSince: number;
  /** What was known when the process began, and no source has confirmed. */
  remembered: boolean;
}

export interface SourceState {
  up: boolean;
  synced: boolean;
  /** Since when `up` is as it is, in ms. */
  since: number;
  why: string;
}

const NO_RULES: CallRules = { timeoutMs: 0 };
/** Most warnings that are kept. */
const MAX_WARNINGS = 1000;

export class Keeper {
  readonly warnings = new Map<string, string>();
  readonly sources = new Map<string, SourceState>();
  /** Services whose targets have to be written anew. */
  readonly dirty = new Set<string>();
  private readonly entries = new Map<string, Entry>();
  private readonly holding = new Set<string>();
  /** Changes that came in, for the metrics. */
  offers = 0;
  holds = 0;
  /** Called when there is something to write. */
  onChange: () => void = () => undefined;
  onSay: (level: "info" | "warning", text: string) => void = () => undefined;

  constructor(private readonly options: KeeperOptions) {}

  /** Services with hosts, by name. */
  *services(): Iterable<Service> {
    for (const { service } of this.entries.values()) if (service.endpoints.length > 0) yield service;
  }

  service(name: string): Service | undefined {
    const service = this.entries.get(name)?.service;
    return service && service.endpoints.length > 0 ? service : undefined;
  }

  get heldServices(): number {
    return this.holding.size;
  }

  /** Takes over what an earlier process has kept; sources confirm it or not. */
  remember(services: { name: string; endpoints: Endpoint[]; rules: CallRules }[]): void {
    for (const { name, endpoints, rules } of services) {
      if (this.entries.size >= this.options.maxServices || badName(name) !== undefined) continue;
      const service = { name, endpoints, rules, held: 0 };
      this.entries.set(name, { offers: new Map(), service, heldSince: 0, remembered: true });
      this.dirty.add(name);
    }
  }

  /** The listener of one source, which is the first of all for what two sources tell differently. */
  listener(source: string): Listener {
    const state: SourceState = { up: false, synced: false, since: this.options.now(), why: "not connected yet" };
    this.sources.set(source, state);
    let seen = new Set<string>();
    return {
      offer: (offer) => {
        if (!state.synced) seen.add(offer.service);
        this.offer(source, offer);
      },
      connected: (up, why) => {
        if (up !== state.up) this.onSay(up ? "info" : "warning", `${source}: ${why}`);
        Object.assign(state, { up, synced: false, since: this.options.now(), why });
        seen = new Set();
      },
      synced: () => {
        state.synced = true;
        for (const [name, entry] of this.entries) {
          if (!seen.has(name) && (entry.offers.has(source) || entry.remembered)) {
            this.offer(source, { service: name, endpoints: [] });
          }
        }
        seen = new Set();
      },
      warn: (key, text) => this.warn(`${source} ${key}`, text),
      unwarn: (key) => void this.warnings.delete(`${source} ${key}`),
    };
  }

  /** Takes a warning; says it once. */
  warn(key: string, text: string): void {
    if (this.warnings.get(key) === text) return;
    if (this.warnings.size >= MAX_WARNINGS && !this.warnings.has(key)) return;
    this.warnings.set(key, text);
    this.onSay("warning", `${key}: ${text}`);
  }

  private offer(source: string, offer: Offer): void {
    this.offers++;
    const entry = this.entryOf(offer);
    if (!entry) return;
    if (offer.endpoints.length > 0 || entry.offers.has(source)) entry.offers.set(source, offer);
    // What an earlier process knew counts until every source that is there has told all that it has.
    if (entry.remembered && offer.endpoints.length === 0 && [...this.sources.values()].some((one) => !one.synced)) {
      return;
    }
    entry.remembered = false;
    this.accept(entry);
  }

  private entryOf(offer: Offer): Entry | undefined {
    const known = this.entries.get(offer.service);
    if (known) return known;
    if (offer.endpoints.length === 0) return undefined;
    const bad = badName(offer.service);
    if (bad !== undefined) {
      this.warn(`service ${offer.service.slice(0, 100)}`, `left out: ${bad}`);
      return undefined;
    }
    if (this.entries.size >= this.options.maxServices) {
      this.warn("services", `more than ${this.options.maxServices}: the others are left out; see --max-services`);
      return undefined;
    }
    const service = { name: offer.service, endpoints: [], rules: NO_RULES, held: 0 };
    const entry = { offers: new Map(), service, heldSince: 0, remembered: false };
    this.entries.set(offer.service, entry);
    return entry;
  }

  /** What all sources say now, the first one's word first. */
  private merged(entry: Entry): { endpoints: Endpoint[]; rules: CallRules } {
    const found = new Map<string, Endpoint>();
    let rules = NO_RULES;
    for (const source of this.sources.keys()) {
      const offer = entry.offers.get(source);
      if (!offer) continue;
      if (rules === NO_RULES && offer.rules) rules = offer.rules;
      for (const one of offer.endpoints) {
        const identity = identityOf(one);
        if (!found.has(identity)) found.set(identity, one);
      }
    }
    const endpoints = [...found.values()].sort((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1));
    if (endpoints.length > this.options.maxHosts) {
      const what = `has ${endpoints.length} hosts: those beyond ${this.options.maxHosts} are left out; see --max-hosts`;
      this.warn(`service ${entry.service.name}`, what);
      endpoints.length = this.options.maxHosts;
    }
    return { endpoints, rules };
  }

  private accept(entry: Entry): void {
    const { endpoints, rules } = this.merged(entry);
    const { service } = entry;
    const present = new Set(endpoints.map(addressOf));
    const gone = service.endpoints.filter((one) => !present.has(addressOf(one)));
    const all = new Set(service.endpoints.map(addressOf)).size;
    const missing = new Set(gone.map(addressOf)).size;
    const name = service.name;
    const drop = missing * 2 > all;
    if (drop && !this.holding.has(name)) entry.heldSince = this.options.now();
    const hold = drop && this.options.now() - entry.heldSince < this.options.holdMs;
    if (hold && !this.holding.has(name)) {
      this.holds++;
      this.holding.add(name);
      const held = `${missing} of ${all} hosts are gone at once: held back for ${forHowLong(this.options.holdMs)}`;
      this.warn(`service ${name}`, held);
    } else if (!hold && this.holding.delete(name)) {
      this.warnings.delete(`service ${name}`);
      const over = drop ? `the ${missing} hosts that were held back are given up` : "its hosts are back";
      this.onSay("info", `service ${name}: ${over}`);
    }
    const kept = hold ? gone : [];
    this.entries.get(name)!.service = { name, endpoints: [...endpoints, ...kept], rules, held: kept.length };
    if (endpoints.length === 0 && !hold) this.entries.delete(name);
    this.dirty.add(name);
    this.onChange();
  }

  /** Gives up what was held for long enough; to be called now and then. */
  tick(): void {
    for (const name of this.holding) {
      const entry = this.entries.get(name);
      if (entry && this.options.now() - entry.heldSince >= this.options.holdMs) this.accept(entry);
    }
  }
}

function forHowLong(ms: number): string {
  return ms === Infinity ? "as long as it stays so" : `${Math.ceil(ms / 1000)} s`;
}
