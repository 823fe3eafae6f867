// Further tries of requests (docs/reference/mosn.md#request): when there is one, in which budget, and where to.
import { CloseReason } from "../tunnel/tunnel_stream";
import { Cluster } from "../upstream/cluster";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Code } from "../message/code";
import { Decoded, Peer } from "../xprotocol/codec";
import { Request } from "./request";
import { send } from "./send";

/** Why a request is tried again. */
const enum Cause {
  /** None of it was sent: that costs no server anything, and to refuse it would fail calls that another host can take. */
  UNSENT,
  /** It was sent, and the route has such requests tried again. */
  SENT,
  /** It was sent, and a timeout that its caller chose is over: a server may still be at work on it. */
  CALLER,
}

/** Tries again where the route wants that for responses with this code; false: the response stands. */
export function retryStatus(request: Request, code: i32): bool {
  const route = request.route;
  if (route === null || code == Code.SUCCESS || !route.retry.retriesCode(code)) return false;
  // The server is done with this try.
  const cluster = request.cluster;
  if (request.budgetedTry && cluster !== null) {
    request.budgetedTry = false;
    request.budgeted--;
    cluster.countTries(-1);
  }
  return mayRetry(request, Cause.SENT) && retryCopy(request, Cause.SENT);
}

/** Tries again after the timeout of one try, where the route says so; false: the timeout stands. */
export function retryTimeout(request: Request): bool {
  const route = request.route;
  const cause = request.ownTry ? Cause.CALLER : Cause.SENT;
  return route !== null && route.retry.retryOn && mayRetry(request, cause) && retryCopy(request, cause);
}

/** Tries again after the loss of the server connection `from`; false: the loss stands. */
export function retryLost(request: Request, from: UpstreamConnection, reason: CloseReason): bool {
  const route = request.route;
  if (request.start >= from.committed) {
    if (reason == CloseReason.NO_CLUSTER || !mayRetry(request, Cause.UNSENT)) return false;
    const kept = request.copy.length > 0;
    return retry(request, kept ? request.copy.ptr : from.at(request.start), request.length, Cause.UNSENT);
  }
  const opened = reason == CloseReason.REMOTE || reason == CloseReason.RESET;
  if (route === null || !route.retry.retryOn || !opened || !mayRetry(request, Cause.SENT)) return false;
  return retryCopy(request, Cause.SENT);
}

/** Whether a request may be tried again; `cause`: which budget of its cluster that is in. */
function mayRetry(request: Request, cause: Cause): bool {
  const cluster = request.cluster;
  if (request.retriesLeft <= 0 || cluster === null) return false;
  const limit = cluster.config.maxRetries;
  const full = limit > 0 && (cluster.retries as u32) >= limit;
  if (!full && (!isBudgeted(cluster, cause) || cluster.mayTry)) return true;
  request.protocol.retryOverflow.add(1);
  return false;
}

function isBudgeted(cluster: Cluster, cause: Cause): bool {
  return cause == Cause.CALLER || (cause == Cause.SENT && cluster.config.budgetsAll);
}

function retryCopy(request: Request, cause: Cause): bool {
  return retry(request, request.copy.ptr, request.copy.length, cause);
}

/**
 * Sends a request again, its bytes from `ptr`: to another host where there is one. False when there are no bytes, or no
 * connection to send them on.
 */
function retry(request: Request, ptr: usize, length: i32, cause: Cause): bool {
  const client = request.client;
  const services = client.services;
  const destination = request.destination;
  const cluster = request.cluster;
  if (destination === null || cluster === null || length <= 0 || !resumeTimeout(request)) return false;
  request.retriesLeft--;
  if (!request.retried) cluster.retries++;
  request.retried = true;
  request.budgetedTry = isBudgeted(cluster, cause);
  if (request.budgetedTry) {
    request.budgeted++;
    cluster.countTries(1);
  }
  const old = request.upstream;
  if (old !== null) old.detach(request);
  const to = client.pools.to(destination, client.requests).pick(request.hash, request.triedHost, services.now());
  if (to === null) return false;
  // An answer to the try before must not be taken for one to this.
  const exchanges = client.requests.exchanges;
  exchanges.release(request.id);
  request.id = exchanges.add(request);
  const frame = services.retryFrame;
  if (request.id == 0) return false;
  if (request.codec.decode(ptr, length, Peer.CLIENT, i32.MAX_VALUE, frame) != Decoded.FRAME) return false;
  request.protocol.retries.add(1);
  services.cancelTimer(request.tryTimer);
  send(request, to, frame, false);
  client.owner.schedule();
  return true;
}

/** Sets the whole timeout again after a filter has held a response; false when that took too long for another try. */
function resumeTimeout(request: Request): bool {
  if (request.slot >= 0 || request.deadline == 0) return true;
  const services = request.client.services;
  if (request.deadline <= services.now()) return false;
  services.setTimer(request, request.deadline, true);
  return true;
}
