import { Bytes } from "../bytes/bytes";
import { noteGarbage } from "../abi/dispatch";
import { hashBytes, siphash24 } from "../bytes/hash";
import { View } from "../bytes/view";
import { Admission } from "./admission";
import { Found } from "../regex/budget";
import { Entry } from "./entry";
import { HotParamController, HotParamVerdict } from "./hot_param";
import { identify } from "./keys";
import { Layout } from "./record";
import { Resource } from "./resource";
import { ResourceTable } from "./resource_table";
import { FlowRule, Match, MS, RuleSet, Target } from "./rules";
import { RecordStore } from "./store";
import { System } from "./system";
import { FlowOutcome, FlowVerdict } from "./verdict";
import { Workers } from "./workers";

/** What a request has for rules on parameters. */
export abstract class ParamSource {
  /** The value of a header or attachment; false: there is none. */
  abstract param(name: Bytes, out: View): bool;
}

const SEED: u64 = 0x7265736f75726365;
/** Longest name that has a resource of its own, bytes, and most tokens of one lease. */
const MAX_NAME: i32 = 1024;
const MAX_LEASE: f64 = 1000;
/** Objects of a resource that makes room. */
const OBJECTS: i32 = 64;

const view = new View();

/**
 * Flow control of one configuration in one worker: the resources that its rules name, and the order in which a request
 * asks them. Rules that match many resources get a resource for each name that comes, up to `maxResources`; then a name
 * takes the place of one that is idle, or shares one for each of the rules' patterns.
 */
export class Engine {
  private readonly table: ResourceTable;
  private readonly most: i32;
  private readonly patterns: Target[] = [];
  private readonly overflow: (Resource | null)[] = [];
  private readonly resources: Resource[] = [];
  private readonly system: System | null;
  private readonly scope: u64;
  private readonly admission: Admission;
  /** Whether it matters when requests end: for response times. */
  readonly needsTime: bool;
  /** Names that found no room for a resource of their own. */
  crowded: i64 = 0;
  /** What rules on the VM's memory go by, bytes. */
  memoryBytes: i64 = 0;
  /** Whether a pattern could not be searched for in the last name that was looked for: rules may be for it. */
  private undecided: bool = false;
  /** The resource of the last request that entered; null: no rule is for it. */
  asked: Resource | null = null;

  /**
   * @param application whose counts these are: configurations of the same name share them
   * @param leasePercent of a limit are taken in one lease; 0: no leases
   */
  constructor(
    private readonly rules: RuleSet,
    application: string,
    private readonly store: RecordStore,
    readonly workers: Workers,
    maxResources: i32,
    private readonly leasePercent: i32,
  ) {
    // Those that rules name have their place whatever comes: a flow rule may name two.
    const named = 2 * rules.flow.length + rules.isolation.length + rules.breakers.length + rules.hot.length;
    const most = max(1, maxResources) + named;
    this.admission = new Admission(max(1, maxResources));
    const scope = identify(application, store.secret);
    this.scope = scope;
    this.needsTime = rules.breakers.length > 0 || rules.system.length > 0;
    this.most = most;
    this.table = new ResourceTable(most);
    this.system = rules.system.length > 0 ? new System(rules.system, scope, store, workers) : null;
    this.findPatterns();
    this.addExact();
    for (let i = 0; i < this.resources.length; i++) this.lend(this.resources[i]);
  }

  /** Whether rules go by how busy workers are: the time in callbacks has to be measured (`measureBusy`). */
  get needsBusy(): bool {
    const system = this.system;
    return system !== null && system.needsBusy;
  }

  /** Whether other workers have to know how busy this one is. */
  get sharesLoad(): bool {
    const system = this.system;
    return system !== null && system.byLoad && this.store.shared;
  }

  private findPatterns(): void {
    const rules = this.rules;
    for (let i = 0; i < rules.flow.length; i++) this.addPattern(rules.flow[i].target);
    for (let i = 0; i < rules.isolation.length; i++) this.addPattern(rules.isolation[i].target);
    for (let i = 0; i < rules.breakers.length; i++) this.addPattern(rules.breakers[i].target);
    for (let i = 0; i < rules.hot.length; i++) this.addPattern(rules.hot[i].target);
  }

  private addPattern(target: Target): void {
    if (target.match == Match.EXACT) return;
    this.patterns.push(target);
    this.overflow.push(null);
  }

  /** The resources that rules name. */
  private addExact(): void {
    const rules = this.rules;
    for (let i = 0; i < rules.flow.length; i++) {
      const to = this.named(rules.flow[i].target);
      if (to !== null) this.addFlow(to, rules.flow[i]);
    }
    for (let i = 0; i < rules.isolation.length; i++) {
      const to = this.named(rules.isolation[i].target);
      if (to !== null) to.addIsolation(rules.isolation[i]);
    }
    for (let i = 0; i < rules.breakers.length; i++) {
      const to = this.named(rules.breakers[i].target);
      if (to !== null) to.addBreaker(rules.breakers[i]);
    }
    for (let i = 0; i < rules.hot.length; i++) {
      const to = this.named(rules.hot[i].target);
      if (to !== null) to.addHotParam(new HotParamController(rules.hot[i], to.hash, this.store, this.workers));
    }
  }

  private named(target: Target): Resource | null {
    return target.match == Match.EXACT ? this.obtainFixed(target.name) : null;
  }

  /** The resource that a rule names. */
  private obtainFixed(name: Bytes): Resource {
    const one = this.obtain(name.ptr, name.length);
    one.fixed = true;
    return one;
  }

  private addFlow(to: Resource, rule: FlowRule): void {
    const related = rule.related;
    to.addFlow(rule, related !== null ? this.obtainFixed(related) : null);
  }

  /** The resource of that name; made where there is none. */
  private obtain(ptr: usize, length: i32): Resource {
    const hash = hashBytes(ptr, length);
    const known = this.table.find(hash, ptr, length);
    if (known !== null) return known;
    const made = this.make(ptr, length);
    made.slotHash = hash;
    this.table.add(made);
    this.addMatching(made, null);
    return made;
  }

  private make(ptr: usize, length: i32): Resource {
    const made = new Resource(
      Bytes.copy(ptr, length),
      siphash24(this.scope, SEED, ptr, length),
      this.store,
      this.workers,
    );
    this.resources.push(made);
    return made;
  }

  /** Gives a resource the rules of a pattern; with null those whose patterns match its name. */
  private addMatching(to: Resource, pattern: Target | null): void {
    const rules = this.rules;
    for (let i = 0; i < rules.flow.length; i++) {
      if (isFor(rules.flow[i].target, pattern, to.name)) this.addFlow(to, rules.flow[i]);
    }
    for (let i = 0; i < rules.isolation.length; i++) {
      if (isFor(rules.isolation[i].target, pattern, to.name)) to.addIsolation(rules.isolation[i]);
    }
    for (let i = 0; i < rules.breakers.length; i++) {
      if (isFor(rules.breakers[i].target, pattern, to.name)) to.addBreaker(rules.breakers[i]);
    }
    for (let i = 0; i < rules.hot.length; i++) {
      if (!isFor(rules.hot[i].target, pattern, to.name)) continue;
      to.addHotParam(new HotParamController(rules.hot[i], to.hash, this.store, this.workers));
    }
  }

  /** Makes a resource of patterns give up its place. */
  private displace(at: i32): void {
    const gone = this.resources[at];
    const last = this.resources.pop();
    if (gone !== last) this.resources[at] = last;
    this.table.remove(gone);
    gone.end();
    noteGarbage(OBJECTS);
  }

  /** The resource of a request; null: no rule is for it, and only the system's rules count. */
  private find(ptr: usize, length: i32, nowNs: i64): Resource | null {
    const hash = hashBytes(ptr, length);
    const known = this.table.find(hash, ptr, length);
    if (known !== null || this.patterns.length == 0) return known;
    for (let i = 0; i < this.patterns.length; i++) {
      const found = unchecked(this.patterns[i]).matches(ptr, length);
      if (found == Found.FAILED) this.undecided = true;
      if (found != Found.YES) continue;
      if (length > MAX_NAME) return this.shared(i);
      if (this.table.count >= this.most) {
        const at = this.admission.displace(this.resources, hash, nowNs);
        if (at < 0) return this.shared(i);
        this.displace(at);
      }
      const made = this.obtain(ptr, length);
      this.lend(made);
      return made;
    }
    return null;
  }

  /** The resource of all names that match a pattern and found no room. */
  private shared(pattern: i32): Resource {
    this.crowded++;
    const known = unchecked(this.overflow[pattern]);
    if (known !== null) return known;
    const target = unchecked(this.patterns[pattern]);
    const made = this.make(target.name.ptr, target.name.length);
    made.fixed = true;
    this.addMatching(made, target);
    this.lend(made);
    unchecked((this.overflow[pattern] = made));
    return made;
  }

  /** Has a resource lease its tokens, where it can. */
  private lend(to: Resource): void {
    if (this.leasePercent <= 0 || !this.store.shared || !to.rules.leasable) return;
    const most = min<f64>((to.rules.threshold * (this.leasePercent as f64)) / 100, MAX_LEASE);
    if (most >= 2) to.lend(most as i64);
  }

  /**
   * Asks all rules for a request. With PASS it is counted, and `exit` or `cancel` must follow; `entry.waitNs` says how long
   * it has to be held before.
   * @param name of its resource
   * @param nowNs ns on a clock that never steps and is the same for all workers
   */
  enter(name: View, params: ParamSource, entry: Entry, nowNs: i64): FlowVerdict {
    entry.clear();
    entry.startNs = nowNs;
    this.undecided = false;
    const resource = this.find(name.ptr, name.length, nowNs);
    this.asked = resource;
    if (resource !== null) resource.usedNs = nowNs;
    if (this.undecided) return FlowVerdict.UNKNOWN;
    const system = this.system;
    if (system !== null) {
      const verdict = system.enter(nowNs);
      if (verdict != FlowVerdict.PASS) return verdict;
      entry.inSystem = true;
    }
    if (resource === null) return FlowVerdict.PASS;
    let verdict = resource.rules.counts ? resource.enter(entry, nowNs, this.memoryBytes) : FlowVerdict.PASS;
    if (verdict == FlowVerdict.PASS) {
      verdict = this.enterHotParams(resource, params, entry, nowNs);
      if (verdict != FlowVerdict.PASS && resource.rules.counts) resource.cancel(entry, nowNs);
    }
    if (verdict == FlowVerdict.PASS) {
      entry.resource = resource;
      resource.users++;
    } else if (system !== null) system.exit(nowNs / MS, nowNs / MS, true);
    if (verdict != FlowVerdict.PASS) entry.clear();
    return verdict;
  }

  private enterHotParams(resource: Resource, params: ParamSource, entry: Entry, nowNs: i64): FlowVerdict {
    const hots = resource.hots;
    entry.hots = 0;
    for (let i = 0; i < hots.length; i++) {
      const hot = unchecked(hots[i]);
      unchecked((entry.hotHashes[i] = 0));
      entry.hots = i + 1;
      if (!params.param(hot.rule.param, view)) continue;
      const verdict = hot.enter(view.ptr, view.length, nowNs / MS);
      if (verdict == HotParamVerdict.PASS) {
        entry.generation = this.workers.generation;
        unchecked((entry.hotHashes[i] = hot.hash));
        unchecked((entry.hotCosts[i] = hot.costMs));
        entry.waitNs = max(entry.waitNs, hot.waitNs);
        continue;
      }
      this.exitHotParams(resource, entry, true);
      return verdict == HotParamVerdict.BLOCK ? FlowVerdict.HOT_PARAM : FlowVerdict.UNKNOWN;
    }
    return FlowVerdict.PASS;
  }

  private exitHotParams(resource: Resource, entry: Entry, undone: bool): bool {
    let noted: bool = true;
    for (let i = 0; i < entry.hots; i++) {
      const hash = unchecked(entry.hotHashes[i]);
      if (hash != 0 && !unchecked(resource.hots[i]).exit(hash, undone, unchecked(entry.hotCosts[i]), entry.generation))
        noted = false;
    }
    entry.hots = 0;
    return noted;
  }

  /** The time is up that a request had to wait, or it does not wait after all. */
  go(entry: Entry): void {
    const queue = entry.queue;
    if (queue !== null) queue.go(entry);
  }

  /**
   * A request that passed is over.
   * @returns false: something could not be noted in the shared records
   */
  exit(entry: Entry, nowNs: i64, outcome: FlowOutcome): bool {
    return this.leave(entry, nowNs, outcome, false);
  }

  /** A request that passed is not made after all: its client left while it waited, or before there was an answer. */
  cancel(entry: Entry, nowNs: i64): bool {
    return this.leave(entry, nowNs, FlowOutcome.UNKNOWN, true);
  }

  /**
   * Its rules are no longer used: what they counted goes, as far as none of the engines that are left in this VM has
   * rules for it.
   */
  end(left: Engine[]): void {
    const others: Engine[] = [];
    let system = false;
    for (let i = 0; i < left.length; i++) {
      if (left[i].scope != this.scope || left[i].store !== this.store) continue;
      others.push(left[i]);
      if (left[i].system !== null) system = true;
    }
    for (let i = 0; i < this.resources.length; i++) {
      erase(this.resources[i], others);
      this.resources[i].end();
    }
    const own = this.system;
    if (own !== null && !system) own.erase();
  }

  /** The resource of that name, made where a pattern is for it; null: no rule is. */
  resourceOf(name: Bytes): Resource | null {
    return this.find(name.ptr, name.length, 0);
  }

  private leave(entry: Entry, nowNs: i64, outcome: FlowOutcome, undone: bool): bool {
    let noted: bool = true;
    const resource = entry.resource;
    if (resource !== null) {
      resource.users--;
      noted = this.exitHotParams(resource, entry, undone);
      if (resource.rules.counts) {
        const left = undone ? resource.cancel(entry, nowNs) : resource.exit(entry, nowNs, outcome);
        noted = noted && left;
      }
    }
    const system = this.system;
    if (entry.inSystem && system !== null) {
      const left = system.exit(entry.startNs / MS, nowNs / MS, undone);
      noted = noted && left;
    }
    entry.clear();
    return noted;
  }
}

function isFor(target: Target, pattern: Target | null, name: Bytes): bool {
  if (target.match == Match.EXACT) return false;
  // A rule that may be for it is for it.
  return pattern !== null ? target.is(pattern) : target.matches(name.ptr, name.length) != Found.NO;
}

/** Erases what only this resource's rules have counted: none of the engines has them, too. */
function erase(resource: Resource, engines: Engine[]): void {
  const same: Resource[] = [];
  const layouts: Layout[] = [];
  for (let i = 0; i < engines.length; i++) {
    const other = engines[i].resourceOf(resource.name);
    if (other === null || other.hash != resource.hash) continue;
    same.push(other);
    layouts.push(other.rules.layout);
  }
  if (same.length == 0) resource.erase();
  else resource.eraseBut(layouts);
  for (let i = 0; i < resource.hots.length; i++) {
    const hot = resource.hots[i];
    let kept = false;
    for (let j = 0; j < same.length; j++) if (same[j].hasHotParam(hot.rule.key)) kept = true;
    if (!kept) hot.erase();
  }
}
