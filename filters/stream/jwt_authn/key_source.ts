import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { LogLevel } from "../../../assembly/abi/types";
import { HttpCall } from "../../../assembly/host/call";
import { Outcome } from "../../../assembly/host/callout";
import { currentMillis } from "../../../assembly/host/clock";
import { LimitedLog, logs } from "../../../assembly/host/log";
import { StreamHandler } from "../../../assembly/stream/handler";
import { FilterMetric } from "../../../assembly/stream/metrics";
import { KeySet } from "./jwk";

const FETCHED = FilterMetric.counter("jwt_authn", "jwks_fetched");
const FAILED = FilterMetric.counter("jwt_authn", "jwks_failed");

/** An unknown key makes keys be fetched anew once in so many ms. */
const UNKNOWN_KEY_MS: i64 = 5000;

const GET = Bytes.of("GET");
const body = new View();
const lines = new LimitedLog();

/** What has to be done before a provider's keys can be used. */
export const enum Need {
  /** They are here. */
  NOTHING = 0,
  /** They have to be fetched, or are being fetched. */
  FETCH = 1,
  /** There are none, and it is too early to ask again. */
  FAILED = 2,
}

/** Where keys are: `remote_jwks`. */
export class RemoteKeys {
  readonly call: HttpCall = new HttpCall();

  /**
   * @param cacheMs how long keys are good
   * @param retryMs how long after a failure nobody asks again
   */
  constructor(
    readonly cluster: Bytes,
    readonly authority: Bytes,
    readonly path: Bytes,
    readonly timeoutMs: i32,
    readonly cacheMs: i64,
    readonly retryMs: i64,
  ) {}
}

/** The keys of a provider: of the configuration, or fetched when they are needed. One in each worker. */
export class KeySource {
  /** Changes with the keys: what was verified before has to be verified again. */
  generation: u32 = 0;
  /** Some request fetches them. */
  fetching: bool = false;
  /** How many others wait for them. */
  waiting: i32 = 0;
  private fetchedAt: i64 = 0;
  private triedAt: i64 = 0;
  private failed: bool = false;

  /** @param keys null: none yet */
  constructor(
    private readonly name: string,
    public keys: KeySet | null,
    readonly remote: RemoteKeys | null,
  ) {}

  /** What is needed for keys that are not too old. */
  need(): Need {
    const remote = this.remote;
    if (remote === null) return this.keys !== null ? Need.NOTHING : Need.FAILED;
    const now = currentMillis();
    const age = now - this.fetchedAt;
    const early = this.failed && now - this.triedAt < remote.retryMs;
    if (this.keys === null || age >= remote.cacheMs) return early ? Need.FAILED : Need.FETCH;
    // One request fetches them before they are too old; the others go on with those that are here.
    const soon = age >= remote.cacheMs - (remote.cacheMs >> 2);
    return soon && !early && !this.fetching ? Need.FETCH : Need.NOTHING;
  }

  /** What is needed for a key that is not among them: they may have been changed. */
  needForUnknown(): Need {
    if (this.remote === null) return Need.FAILED;
    return this.fetching || currentMillis() - this.triedAt >= UNKNOWN_KEY_MS ? Need.FETCH : Need.FAILED;
  }

  /** Begins to fetch; false when it cannot. */
  fetch(handler: StreamHandler): bool {
    const remote = this.remote;
    if (remote === null) return false;
    const call = remote.call;
    call.begin(remote.cluster, GET, remote.path, remote.authority);
    call.timeoutMs = remote.timeoutMs;
    this.triedAt = currentMillis();
    this.fetching = handler.callHttp(call);
    if (!this.fetching) this.fail(handler, "no healthy host, no such cluster, or too much under way");
    return this.fetching;
  }

  /** Takes the answer. */
  take(handler: StreamHandler): void {
    this.fetching = false;
    this.triedAt = currentMillis();
    const callout = handler.callout;
    if (callout === null || callout.outcome != Outcome.ANSWERED) return this.fail(handler, "no answer");
    if (callout.status != 200) return this.fail(handler, "another status than 200");
    callout.body(body);
    const keys = KeySet.parse(body.ptr, body.length);
    if (keys.keys.length == 0) return this.fail(handler, keys.fault);
    this.keys = keys;
    this.fetchedAt = this.triedAt;
    this.failed = false;
    this.generation++;
    handler.metrics.count(FETCHED, 1);
  }

  /** The request that fetched has gone. */
  abandon(): void {
    this.fetching = false;
  }

  private fail(handler: StreamHandler, why: string): void {
    this.failed = true;
    handler.metrics.count(FAILED, 1);
    if (!logs(LogLevel.WARN) || !lines.allows(currentMillis(), 0)) return;
    lines.warn(`moe-wasm: jwt_authn: keys of ${this.name}: ${why}`);
  }
}
