// Engines under a virtual clock on a store of their own, for specs of flow control.
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";
import { ObjectReader } from "../../../assembly/config/object";
import { BusyShare } from "../../../assembly/sentinel/busy_share";
import { Engine, ParamSource } from "../../../assembly/sentinel/engine";
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowOutcome, FlowVerdict } from "../../../assembly/sentinel/verdict";
import { readRules } from "../../../assembly/sentinel/read_rules";
import { MS, RuleSet } from "../../../assembly/sentinel/rules";
import { RecordStore, Saved, SharedRecord } from "../../../assembly/sentinel/store";
import { Workers } from "../../../assembly/sentinel/workers";

/** Where virtual time begins, ms: a whole second. */
export const START: i64 = 1578416556000;

const ABC = Bytes.of("abc");

/** What a store has under a key. */
class Stored {
  constructor(
    public bytes: Bytes,
    public version: u32,
  ) {}
}

/** Shared data as Envoy has it: values with versions. Conflicts can be forced. */
export class TestStore extends RecordStore {
  readonly values: Map<string, Stored> = new Map<string, Stored>();
  private versions: u32 = 0;
  /** So many of the next writes find that another one was first. */
  conflicts: i32 = 0;
  broken: bool = false;
  loads: i32 = 0;
  saves: i32 = 0;

  protected read(record: SharedRecord): bool {
    this.loads++;
    if (this.broken) return false;
    const key = keyText(record);
    record.length = 0;
    record.version = u32.MAX_VALUE;
    if (!this.values.has(key)) return true;
    const stored = this.values.get(key);
    record.resize(stored.bytes.length);
    memory.copy(record.ptr, stored.bytes.ptr, stored.bytes.length as usize);
    record.version = stored.version;
    return true;
  }

  protected write(record: SharedRecord): Saved {
    this.saves++;
    if (this.broken) return Saved.FAILED;
    const key = keyText(record);
    const version = this.values.has(key) ? this.values.get(key).version : u32.MAX_VALUE;
    if (this.conflicts > 0) {
      this.conflicts--;
      return Saved.CONFLICT;
    }
    if (record.version != 0 && version != record.version) return Saved.CONFLICT;
    this.values.set(key, new Stored(Bytes.copy(record.ptr, record.length), ++this.versions));
    record.version = this.versions;
    return Saved.OK;
  }

  get shared(): bool {
    return true;
  }

  get secret(): u64 {
    return 7;
  }
}

function keyText(record: SharedRecord): string {
  let text = "";
  for (let i = 0; i < record.key.length; i++) text += load<u8>(record.key.ptr + i).toString() + " ";
  return text;
}

/** The value of the only parameter that requests have. */
class OneParam extends ParamSource {
  value: Bytes = Bytes.EMPTY;

  param(name: Bytes, out: View): bool {
    out.set(this.value.ptr, this.value.length);
    return this.value.length > 0;
  }
}

/** The rules of a text, in which ' stands for "; `error` says what is wrong. */
export class Parsed {
  readonly rules: RuleSet;
  readonly error: string;

  constructor(text: string) {
    const bytes = Bytes.of(text.replaceAll("'", '"'));
    const errors = new ConfigErrors();
    this.rules = readRules(new ObjectReader(parseJson(bytes.ptr, bytes.length, errors), "config", errors));
    this.error = errors.failed ? errors.message : "";
  }
}

/** A worker's time in callbacks, as the spec says. */
export class TestBusy extends BusyShare {
  /** ns. */
  spent: i64 = 0;

  protected busyNs(): i64 {
    return this.spent;
  }
}

/** One worker. */
export class World {
  readonly engine: Engine;
  readonly params: OneParam = new OneParam();
  private readonly view: View = new View();
  /** ns. */
  now: i64 = START * MS;

  constructor(
    rules: string,
    readonly store: RecordStore = new TestStore(),
    maxResources: i32 = 100,
    lease: i32 = 0,
    workers: Workers = new Workers(store),
  ) {
    const parsed = new Parsed(rules);
    assert(parsed.error.length == 0, parsed.error);
    this.engine = new Engine(parsed.rules, "app", store, workers, maxResources, lease);
  }

  /** Milliseconds pass. */
  sleep(ms: i64): void {
    this.now += ms * MS;
  }

  enter(entry: Entry, resource: string = "abc", param: string = ""): FlowVerdict {
    const name = Bytes.of(resource);
    this.view.set(name.ptr, name.length);
    this.params.value = Bytes.of(param);
    return this.engine.enter(this.view, this.params, entry, this.now);
  }

  /** A request to `abc` whose parameter is the bytes of a number: it makes no garbage. */
  enterNumber(entry: Entry, value: i64): FlowVerdict {
    store<i64>(this.params.value.ptr, value);
    this.view.set(ABC.ptr, ABC.length);
    return this.engine.enter(this.view, this.params, entry, this.now);
  }

  /** How many of so many requests pass now; they stay. */
  passes(count: i32, resource: string = "abc", param: string = ""): i32 {
    let passed = 0;
    for (let i = 0; i < count; i++) if (this.enter(new Entry(), resource, param) == FlowVerdict.PASS) passed++;
    return passed;
  }

  /** How many of so many requests pass now; each is over at once. */
  visits(count: i32, resource: string): i32 {
    let passed = 0;
    for (let i = 0; i < count; i++) if (this.call(0, false, resource) == FlowVerdict.PASS) passed++;
    return passed;
  }

  /** One request that takes so long; its verdict. */
  call(ms: i64, failed: bool, resource: string = "abc"): FlowVerdict {
    const entry = new Entry();
    const verdict = this.enter(entry, resource);
    this.sleep(ms);
    if (verdict == FlowVerdict.PASS) this.engine.exit(entry, this.now, failed ? FlowOutcome.FAILED : FlowOutcome.GOOD);
    return verdict;
  }
}
