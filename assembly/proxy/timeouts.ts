// How long a request may take (docs/reference/mosn.md#timeouts), and what its end by a timeout says of the server.
import { Bytes } from "../bytes/bytes";
import { readDecimal } from "../bytes/decimal";
import { View } from "../bytes/view";
import { Route } from "../router/route";
import { DEFAULT_TIMEOUT_MS } from "./config";
import { FrameInput } from "./frame_input";
import { Request } from "./request";
import { Services } from "./services";

/** Shortest timeout of a caller's own that counts against a server, where the route has none, ms. */
const LEAST_COUNTED_MS: i64 = 1000;
const NONE: i64 = -1;

const GLOBAL_TIMEOUT = Bytes.of("x-mosn-global-timeout");
const TRY_TIMEOUT = Bytes.of("x-mosn-try-timeout");
// Variables of filters.
const GLOBAL_VARIABLE = Bytes.of("proxy_global_timeout");
const TRY_VARIABLE = Bytes.of("proxy_try_timeout");
const DISABLE_RETRY = Bytes.of("proxy_disable_retry");
const TRUE = Bytes.of("true");
const MINUS: u8 = 0x2d;

const view = new View();

/** The whole timeout of the route, ms; 0: none. */
function routed(route: Route): i64 {
  return route.timeoutMs >= 0 ? (route.timeoutMs as i64) : DEFAULT_TIMEOUT_MS;
}

/** The longest timeout that a request to this route may choose, ms: `max_request_timeout`, or the route's if it is longer. */
function longest(services: Services, route: Route): i64 {
  const own = routed(route);
  return own == 0 ? i64.MAX_VALUE : max(own, services.config.maxRequestTimeoutMs);
}

/** What a filter has set, ms; NONE where it has not, or no number. A negative one is no limit, so the longest. */
function variable(input: FrameInput, name: Bytes): i64 {
  if (!input.isSet(name, view)) return NONE;
  if (view.length > 1 && load<u8>(view.ptr) == MINUS) {
    return readDecimal(view.ptr + 1, view.length - 1) > 0 ? i64.MAX_VALUE : NONE;
  }
  return readDecimal(view.ptr, view.length);
}

/** What the caller has chosen: the frame's own timeout, or that of a header, ms; NONE: it has not. */
function chosen(input: FrameInput): i64 {
  return input.timeout > 0 ? (input.timeout as i64) : input.milliseconds(GLOBAL_TIMEOUT);
}

/**
 * The whole timeout of the request that the services' input is bound to, ms; 0: none. What a filter has set wins over the
 * frame's own, that over the header x-mosn-global-timeout, and that over the route. A choice of 0 is MOSN's default.
 */
export function timeoutOf(services: Services, route: Route): i64 {
  const input = services.input;
  let own = variable(input, GLOBAL_VARIABLE);
  if (own == NONE) own = chosen(input);
  if (own == NONE) return routed(route);
  return min(own == 0 ? DEFAULT_TIMEOUT_MS : own, longest(services, route));
}

/** The timeout that is said to count against servers, or else the route's; what is shorter is the caller's impatience. */
function counted(services: Services, route: Route): i64 {
  if (services.config.minCountedTimeoutMs > 0) return services.config.minCountedTimeoutMs;
  return route.timeoutMs > 0 ? (route.timeoutMs as i64) : LEAST_COUNTED_MS;
}

/**
 * Sets the whole timeout of a request that is to be sent and that of its tries, and how often it may be tried again. Of a
 * try the variable wins over the header, which counts only with `retry_on`, and that over the route.
 */
export function setTimeouts(request: Request, route: Route, services: Services): void {
  const input = services.input;
  const timeout = timeoutOf(services, route);
  if (timeout > 0) services.setTimer(request, services.now() + timeout, true);
  const least = counted(services, route);
  request.impatient =
    timeout > 0 && timeout < least && variable(input, GLOBAL_VARIABLE) == NONE && chosen(input) != NONE;

  const policy = route.retry;
  let perTry = variable(input, TRY_VARIABLE);
  const asked = perTry == NONE && policy.retryOn ? input.milliseconds(TRY_TIMEOUT) : NONE;
  if (perTry == NONE) perTry = asked != NONE ? asked : (max(policy.perTryTimeoutMs, 0) as i64);
  perTry = min(perTry, longest(services, route));
  request.tryTimeout = timeout == 0 || perTry < timeout ? (min(perTry, i32.MAX_VALUE as i64) as i32) : 0;
  const leastTry = policy.perTryTimeoutMs > 0 ? min(policy.perTryTimeoutMs as i64, least) : least;
  request.ownTry = asked != NONE;
  request.impatientTry = asked != NONE && asked < leastTry;
  const never = input.isSet(DISABLE_RETRY, view) && TRUE.equals(view.ptr, view.length);
  request.retriesLeft = never ? 0 : policy.numRetries;
}
