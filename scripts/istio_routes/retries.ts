// HTTPRetry as the module's retry policy.
import { durationOf, type Fields } from "./fields.ts";

type Out = Record<string, unknown>;

/** Reasons of Envoy's that mean "nothing was sent", which the module always tries again. */
const NOT_SENT = ["connect-failure", "refused-stream"];
/** Reasons, and the codes for which the module tries again; none: all of 500 and above. */
const REASONS: Record<string, number[]> = {
  "5xx": [],
  "gateway-error": [502, 503, 504],
  "retriable-4xx": [409],
};
/** Reasons that come with a lost connection: `reset` alone is for codes that no server sends. */
const RESETS = ["reset", "reset-before-request"];
const NO_CODE = 999;
/** Of gRPC's status, which RPC has not. */
const GRPC = ["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"];
const MAX_RETRIES = 100;

interface Reasons {
  codes: number[];
  /** All codes of 500 and above. */
  any: boolean;
  reset: boolean;
}

function readReasons(from: Fields): Reasons {
  const out: Reasons = { codes: [], any: false, reset: false };
  const words = (from.text("retryOn") ?? "").split(",").map((word) => word.trim());
  for (const word of words.filter((one) => one !== "")) {
    if (NOT_SENT.includes(word) || word === "retriable-status-codes") continue;
    if (RESETS.includes(word)) out.reset = true;
    else if (word in REASONS) {
      out.codes.push(...REASONS[word]);
      out.any ||= REASONS[word].length === 0;
    } else if (/^\d{3}$/.test(word)) out.codes.push(Number(word));
    else if (GRPC.includes(word))
      from.warn("retry-scope", "retryOn", `"${word}" is a status of gRPC, which RPC has not`);
    else from.error("retryOn", `"${word}" cannot be translated`);
  }
  return out;
}

/** The module's `retry_policy`. */
export function retryPolicy(from: Fields): Out {
  const attempts = from.count("attempts") ?? 0;
  const { codes, any, reset } = readReasons(from);
  const perTry = from.duration("perTryTimeout");
  from.warnOf("retry-backoff", "the module retries at once, on another host where there is one", "backoff");
  if (from.flag("retryIgnorePreviousHosts") === false)
    from.warn("retry-scope", "retryIgnorePreviousHosts", "the module goes to another host where there is one");
  from.warnOf("no-endpoint-data", "Envoy chooses among localities", "retryRemoteLocalities");
  from.finish();
  if (attempts > MAX_RETRIES) from.error("attempts", `the module has ${MAX_RETRIES} retries at most`);
  if (attempts === 0) return { num_retries: 0 };
  const resends = any || reset || codes.length > 0;
  if (codes.length > 0 && !any && !reset)
    from.warn("retry-scope", "retryOn", "calls whose connection was lost are sent again, too");
  return {
    num_retries: attempts,
    ...(resends && { retry_on: true }),
    ...(resends && !any && { status_codes: codes.length > 0 ? [...new Set(codes)].sort((a, b) => a - b) : [NO_CODE] }),
    ...(perTry !== undefined && { retry_timeout: durationOf(perTry) }),
  };
}
