import { LogLevel } from "../../../assembly/abi/types";
import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ObjectReader } from "../../../assembly/config/object";
import { currentMillis } from "../../../assembly/host/clock";
import { hostOf, LimitedLog, logs } from "../../../assembly/host/log";
import { Code } from "../../../assembly/message/code";
import { Verdict } from "../../../assembly/policy/verdict";
import { declareVariables } from "../../../assembly/router/variables";
import { FilterConfig, FilterRoots, FilterType, StreamFilter } from "../../../assembly/stream/filter";
import { StreamHandler } from "../../../assembly/stream/handler";
import { FilterMetric } from "../../../assembly/stream/metrics";
import { bit, FilterStatus, Phase } from "../../../assembly/stream/phase";
import { JwtAuthnConfig } from "./config";
import { KeySource } from "./key_source";
import { counterOf, detailsOf, nameOf, Reason } from "./reason";
import { Judgement, Requirement } from "./requirement";

const NAME = "jwt_authn";
const ALLOWED = FilterMetric.counter(NAME, "allowed");
const DENIED = FilterMetric.counter(NAME, "denied");
const PREFLIGHT = FilterMetric.counter(NAME, "cors_preflight_bypassed");

/** HTTP's status; RPC's protocols have none, there it is that of a call that is not permitted. */
const UNAUTHORIZED: i32 = 401;
/** Callouts that one request may have, and how often it looks whether another one's has ended, ms. */
const MAX_FETCHES: i32 = 4;
const LOOK_MS: i32 = 20;
/** How many of those that wait look in one millisecond, so that very many do not hold the worker. */
const LOOKS_PER_MS: i32 = 16;

const MISSING = Bytes.of("Jwt is missing");
const BAD = Bytes.of("Jwt verification fails");
const METHOD = Bytes.of("x-mosn-method");
const OPTIONS = Bytes.of("OPTIONS");
const ORIGIN = Bytes.of("origin");
const REQUEST_METHOD = Bytes.of("access-control-request-method");

const view = new View();
const lines = new LimitedLog();
const judgement = new Judgement();

/** Lets requests pass that have a good JSON web token: MOSN's `jwt_authn` (istio/istio1106/filter/stream/jwtauthn). */
class JwtAuthnFilter extends StreamFilter {
  private requirement: Requirement | null = null;
  /** The keys that this request fetches. */
  private fetching: KeySource | null = null;
  /** The keys that another request fetches, and this one waits for. */
  private awaited: KeySource | null = null;
  private fetches: i32 = 0;
  /** When it stops waiting for what other requests fetch, ms; 0: it has not begun. */
  private deadline: i64 = 0;

  constructor(private readonly config: JwtAuthnConfig) {
    super();
  }

  onReceive(handler: StreamHandler, phase: Phase): FilterStatus {
    const config = this.config;
    this.requirement = null;
    const headers = handler.requestHeaders;
    // What says that a token was good comes from here alone.
    const providers = config.providers;
    for (let i = 0, n = providers.length; i < n && headers !== null; i++) {
      const output = unchecked(providers[i]).output;
      output.sanitize(headers);
      if (output.tells && headers.incomplete) return this.deny(handler, Reason.UNDECIDED);
    }
    if (config.http && config.bypassesPreflight && isPreflight(handler)) {
      handler.metrics.count(PREFLIGHT, 1);
      return FilterStatus.CONTINUE;
    }
    const rules = config.rules;
    for (let i = 0, n = rules.length; i < n; i++) {
      const rule = unchecked(rules[i]);
      const verdict = rule.test(handler);
      if (verdict == Verdict.UNKNOWN) return this.deny(handler, Reason.UNDECIDED);
      if (verdict == Verdict.NO) continue;
      this.requirement = rule.requirement;
      return this.judge(handler);
    }
    return FilterStatus.CONTINUE;
  }

  onResume(handler: StreamHandler, phase: Phase): FilterStatus {
    const awaited = this.awaited;
    if (awaited !== null && awaited.fetching && currentMillis() < this.deadline)
      return this.lookLater(handler, awaited);
    this.leave();
    const fetching = this.fetching;
    this.fetching = null;
    if (fetching !== null) fetching.take(handler);
    return this.judge(handler);
  }

  onDestroy(): void {
    const fetching = this.fetching;
    if (fetching !== null) fetching.abandon();
    this.leave();
    this.fetching = null;
    this.requirement = null;
    this.fetches = 0;
    this.deadline = 0;
  }

  private judge(handler: StreamHandler): FilterStatus {
    const requirement = this.requirement;
    if (requirement === null) return FilterStatus.CONTINUE;
    for (;;) {
      judgement.begin();
      const reason = requirement.test(handler, judgement);
      if (reason == Reason.NONE) return this.allow(handler);
      if (reason != Reason.FETCH) return this.deny(handler, reason);
      const provider = judgement.fetch;
      if (provider === null) return this.deny(handler, Reason.NO_KEYS);
      if (provider.keys.fetching) return this.waitForOthers(handler, provider.keys);
      if (this.fetches++ >= MAX_FETCHES) return this.deny(handler, Reason.NO_KEYS);
      if (!provider.keys.fetch(handler)) continue;
      this.fetching = provider.keys;
      return FilterStatus.WAIT;
    }
  }

  /** Another request fetches the keys: looks again soon, as long as that one may take. */
  private waitForOthers(handler: StreamHandler, keys: KeySource): FilterStatus {
    const remote = keys.remote;
    const now = currentMillis();
    if (this.deadline == 0) this.deadline = now + LOOK_MS + ((remote !== null ? remote.timeoutMs : 0) as i64);
    if (now >= this.deadline) return this.deny(handler, Reason.NO_KEYS);
    this.awaited = keys;
    keys.waiting++;
    return this.lookLater(handler, keys);
  }

  private lookLater(handler: StreamHandler, keys: KeySource): FilterStatus {
    const left = max(this.deadline - currentMillis(), 1) as i32;
    handler.wait(min(max(LOOK_MS, keys.waiting / LOOKS_PER_MS), left));
    return FilterStatus.WAIT;
  }

  /** Waits for others no more. */
  private leave(): void {
    const awaited = this.awaited;
    if (awaited !== null) awaited.waiting--;
    this.awaited = null;
  }

  private allow(handler: StreamHandler): FilterStatus {
    const good = judgement.good;
    for (let i = 0, n = good.length; i < n; i++) unchecked(good[i]).tell(handler);
    handler.metrics.count(ALLOWED, 1);
    return FilterStatus.CONTINUE;
  }

  private deny(handler: StreamHandler, reason: Reason): FilterStatus {
    handler.metrics.count(DENIED, 1);
    handler.metrics.count(counterOf(reason), 1);
    if (reason == Reason.UNDECIDED || reason == Reason.NO_KEYS) handler.countFailure(jwtAuthn);
    handler.explain(detailsOf(reason));
    warn(handler, reason);
    handler.hijack(this.config.http ? UNAUTHORIZED : Code.PERMISSION_DENIED, reason == Reason.MISSING ? MISSING : BAD);
    return FilterStatus.STOP;
  }
}

function warn(handler: StreamHandler, reason: Reason): void {
  if (!logs(LogLevel.WARN)) return;
  if (!handler.sourceAddress(view)) view.set(0, 0);
  if (!lines.allows(currentMillis(), hostOf(view.ptr, view.length))) return;
  const client = String.UTF8.decodeUnsafe(view.ptr, view.length);
  lines.warn(`moe-wasm: jwt_authn: client ${client}: denied: ${nameOf(reason)}`);
}

function isPreflight(handler: StreamHandler): bool {
  if (!handler.variable(METHOD, view) || !OPTIONS.equals(view.ptr, view.length)) return false;
  const headers = handler.requestHeaders;
  if (headers === null || !headers.get(ORIGIN.ptr, ORIGIN.length, view) || view.length == 0) return false;
  return headers.get(REQUEST_METHOD.ptr, REQUEST_METHOD.length, view) && view.length > 0;
}

class JwtAuthnType extends FilterType {
  constructor() {
    // Before the route: routes can go by what it finds out, and nobody learns of routes without a token.
    super(NAME, bit(Phase.BEFORE_ROUTE), false);
    this.setsLabels = false;
    this.protective = true;
  }

  parse(from: ObjectReader): FilterConfig {
    return this.parseFor(from, FilterRoots.PROXY);
  }

  parseFor(from: ObjectReader, root: FilterRoots): FilterConfig {
    return new JwtAuthnConfig(from, root == FilterRoots.HTTP);
  }

  create(config: FilterConfig): StreamFilter {
    return new JwtAuthnFilter(config as JwtAuthnConfig);
  }
}

// What a token says, under the names of the configuration: routes can go by it.
declareVariables("jwt_authn.");

export const jwtAuthn = new JwtAuthnType();
