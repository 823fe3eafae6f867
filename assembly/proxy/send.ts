// Writing requests to server connections.
import { View } from "../bytes/view";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Frame } from "../xprotocol/frame";
import { writeChanged } from "./changes";
import { Request } from "./request";

const body = new View();

/**
 * Writes a request to a server connection under its id; `changed`: its headers or body may not be the frame's. False,
 * and nothing written, when it is refused for its changes.
 */
export function send(request: Request, to: UpstreamConnection, frame: Frame, changed: bool): bool {
  const services = request.client.services;
  const codec = request.codec;
  const route = request.route;
  request.start = to.position;
  const queue = to.queue;
  const before = queue.length;
  if (!writeRequest(request, frame, request.id, changed, to)) return false;
  request.length = queue.length - before;
  to.wrote(codec, frame.aux, request.length);
  to.attach(request);
  if (route !== null && route.retry.retryOn && !request.oneway) keepCopy(request, to);
  if (request.tryTimeout > 0) {
    services.setTimer(request.tryTimer, services.now() + (request.tryTimeout as i64), true);
  }
  return true;
}

/** Appends a request to a server connection's queue under an id; see `send`. */
export function writeRequest(request: Request, frame: Frame, id: u32, changed: bool, to: UpstreamConnection): bool {
  if (changed && hasChanges(request)) return writeChanges(request, frame, id, to);
  request.codec.copy(frame, id, to.queue);
  return true;
}

/** Whether headers or body of a request differ from its frame. */
function hasChanges(request: Request): bool {
  const stream = request.stream;
  if (stream !== null && stream.bodyChanged) return true;
  const headers = request.client.services.input.knownHeaders;
  return headers !== null && headers.changed;
}

/** Appends a request whose headers or body have changed; false when it is refused for that. */
function writeChanges(request: Request, frame: Frame, id: u32, to: UpstreamConnection): bool {
  const stream = request.stream;
  const newBody = stream !== null && stream.bodyChanged;
  body.set(frame.ptr + (frame.contentOffset as usize), frame.contentLength);
  if (stream !== null) stream.requestBody(body);
  // A mirrored request is written once more: to servers.
  return writeChanged(request.client, request.codec, frame, body, newBody, id, to.queue, to.secondary);
}

/** Keeps a request's bytes for a retry after they were sent, while the client's memory allows. */
function keepCopy(request: Request, from: UpstreamConnection): void {
  const client = request.client;
  if (request.copy.length > 0 || !client.mayKeep(request.length)) return;
  client.keptBytes += request.length;
  request.copy.append(from.at(request.start), request.length);
}
