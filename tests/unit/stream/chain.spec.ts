import { ObjectReader } from "../../../assembly/config/object";
import { ChainEntry, FilterChain, FilterChains } from "../../../assembly/stream/chain";
import { FilterConfig, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { TestHandler } from "./test_handler";
import { bit, FilterStatus, Phase } from "../../../assembly/stream/phase";

/** What the filters did, as text: name, event and phase. */
let events: string[] = [];

class Scripted extends StreamFilter {
  /** Statuses to give, one a call; then CONTINUE. */
  script: FilterStatus[] = [];

  constructor(private readonly name: string) {
    super();
  }

  private next(): FilterStatus {
    return this.script.length > 0 ? this.script.shift() : FilterStatus.CONTINUE;
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    events.push(`${this.name}${phase as i32}`);
    return this.next();
  }

  append(handler: StreamHandler): FilterStatus {
    events.push(`${this.name}S`);
    return this.next();
  }

  onResume(handler: StreamHandler, phase: Phase): FilterStatus {
    events.push(`${this.name}R`);
    return this.next();
  }

  onLog(handler: StreamHandler): void {
    events.push(`${this.name}L`);
  }

  onDestroy(): void {
    events.push(`${this.name}D`);
    this.script = [];
  }
}

class ScriptedType extends FilterType {
  filter: Scripted | null = null;
  readonly config: NoConfig = new NoConfig();

  parse(from: ObjectReader): FilterConfig {
    return new NoConfig();
  }

  create(config: FilterConfig): StreamFilter {
    const filter = new Scripted(this.name);
    this.filter = filter;
    return filter;
  }
}

class NoConfig extends FilterConfig {
  ignoresBodies: bool = false;

  get readsRequestBody(): bool {
    return !this.ignoresBodies;
  }
}

const handler = new TestHandler();
const ALL: u32 = 0x1f;
const EARLY: u32 = bit(Phase.BEFORE_ROUTE);
const LATE: u32 = bit(Phase.AFTER_ROUTE) | bit(Phase.BEFORE_SEND);

let types: ScriptedType[] = [];

/** A chain of filters a, b, c … that run in these phases. */
function chain(phases: u32[]): FilterChain {
  events = [];
  types = [];
  const entries = new StaticArray<ChainEntry>(phases.length);
  for (let i = 0; i < phases.length; i++) {
    const type = new ScriptedType(String.fromCharCode(97 + i), phases[i], false);
    types.push(type);
    entries[i] = new ChainEntry(type, type.config);
  }
  return new FilterChain(entries);
}

function script(filter: i32, statuses: FilterStatus[]): void {
  const scripted = types[filter].filter;
  if (scripted !== null) scripted.script = statuses;
}

/** The events since the last call. */
function seen(): string {
  const text = events.join(" ");
  events = [];
  return text;
}

describe("FilterChain (docs/reference/mosn.md#chain)", () => {
  test("runs the filters that name a phase in the order of the configuration, both ways", () => {
    const all = chain([ALL, EARLY, LATE]);
    expect(all.receive(handler, Phase.BEFORE_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("a0 b0");
    expect(all.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(all.receive(handler, Phase.AFTER_CHOOSE_HOST)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("a1 c1 a2");
    expect(all.send(handler)).toBe(FilterStatus.CONTINUE);
    all.log(handler);
    expect(seen()).toBe("aS cS aL");
  });

  test("STOP and TERMINATION skip the rest of the phase, and the next phase starts anew", () => {
    for (let i = 0; i < 2; i++) {
      const status = i == 0 ? FilterStatus.STOP : FilterStatus.TERMINATION;
      const all = chain([ALL, ALL]);
      script(0, [status]);
      expect(all.receive(handler, Phase.BEFORE_ROUTE)).toBe(status);
      expect(all.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
      expect(seen()).toBe("a0 a1 b1");
    }
  });

  test("REMATCH_ROUTE and RECHOOSE_HOST run the same filter again, those before it not", () => {
    const all = chain([ALL, ALL, ALL]);
    script(1, [FilterStatus.REMATCH_ROUTE, FilterStatus.REMATCH_ROUTE]);
    expect(all.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.REMATCH_ROUTE);
    expect(all.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.REMATCH_ROUTE);
    expect(all.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("a1 b1 b1 b1 c1");
    script(2, [FilterStatus.RECHOOSE_HOST]);
    expect(all.receive(handler, Phase.AFTER_CHOOSE_HOST)).toBe(FilterStatus.RECHOOSE_HOST);
    expect(all.receive(handler, Phase.AFTER_CHOOSE_HOST)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("a2 b2 c2 c2");
  });

  test("in a phase that does not honour them they skip no filter of the next one (MOSN does)", () => {
    const all = chain([ALL, ALL]);
    script(1, [FilterStatus.REMATCH_ROUTE]);
    expect(all.receive(handler, Phase.BEFORE_ROUTE)).toBe(FilterStatus.REMATCH_ROUTE);
    expect(all.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("a0 b0 a1 b1");
  });

  test("WAIT holds the place; the same filter then gives the status and the others follow", () => {
    const all = chain([ALL, ALL, ALL]);
    script(1, [FilterStatus.WAIT, FilterStatus.WAIT]);
    expect(all.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.WAIT);
    expect(all.resume(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.WAIT);
    expect(all.resume(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("a1 b1 bR bR c1");
    script(0, [FilterStatus.WAIT, FilterStatus.STOP]);
    expect(all.send(handler)).toBe(FilterStatus.WAIT);
    expect(all.resume(handler, Phase.BEFORE_SEND)).toBe(FilterStatus.STOP);
    expect(seen()).toBe("aS aR");
    expect(all.send(handler)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("aS bS cS");
  });

  test("another response than the one that is held goes through all filters", () => {
    const all = chain([ALL, ALL]);
    script(1, [FilterStatus.WAIT]);
    expect(all.send(handler)).toBe(FilterStatus.WAIT);
    expect(all.send(handler)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("aS bS aS bS");
  });

  test("NEEDS_BODY stops before a filter that looks at a body which is not complete; it runs once that is", () => {
    const all = chain([ALL, ALL, ALL]);
    types[1].needsRequestBody = true;
    types[2].needsResponseBody = true;
    handler.lacksBody = true;
    expect(all.receive(handler, Phase.BEFORE_ROUTE)).toBe(FilterStatus.NEEDS_BODY);
    expect(seen()).toBe("a0");
    handler.lacksBody = false;
    expect(all.receive(handler, Phase.BEFORE_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(all.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("b0 c0 a1 b1 c1");
    handler.lacksBody = true;
    script(0, [FilterStatus.WAIT]);
    expect(all.send(handler)).toBe(FilterStatus.WAIT);
    expect(all.resume(handler, Phase.BEFORE_SEND)).toBe(FilterStatus.NEEDS_BODY);
    expect(seen()).toBe("aS aR bS");
    handler.lacksBody = false;
    expect(all.sendOn(handler)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("cS");
  });

  test("bodies that do not matter with a configuration are not waited for", () => {
    const all = chain([ALL, ALL]);
    types[0].needsRequestBody = true;
    types[0].config.ignoresBodies = true;
    handler.lacksBody = true;
    expect(all.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("a1 b1");
    handler.lacksBody = false;
  });

  test("a chain that is given back forgets, and is used again", () => {
    const type = new ScriptedType("a", ALL, false);
    const chains = new FilterChains([new ChainEntry(type, new NoConfig())]);
    events = [];
    const one = chains.take();
    const filter = type.filter;
    if (filter !== null) filter.script = [FilterStatus.WAIT];
    one.receive(handler, Phase.BEFORE_ROUTE);
    chains.give(one);
    expect(chains.take() === one).toBe(true);
    expect(one.receive(handler, Phase.BEFORE_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(seen()).toBe("a0 aD a0");
  });
});
