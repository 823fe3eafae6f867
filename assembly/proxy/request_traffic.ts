import { Traffic } from "../upstream/traffic";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { codeOf, reasonOf } from "../upstream/bad_frame";
import { Codec } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { ClientOutput } from "./client_output";
import { ServerRequests } from "./server_request";
import { Services } from "./services";

/** Hosts of a large cluster that one client's requests are spread over. */
const MAX_SPAN: i32 = 16;

/** A client's requests, on server connections that are its own: what servers ask on them is for this client. */
export class RequestTraffic extends Traffic {
  readonly serverRequests: ServerRequests;

  constructor(
    private readonly services: Services,
    output: ClientOutput,
  ) {
    super(false, MAX_SPAN, 0);
    this.serverRequests = new ServerRequests(services, output);
  }

  onLateResponse(codec: Codec): void {
    this.services.protocol(codec).lateResponses.add(1);
  }

  onServerRequest(from: UpstreamConnection, codec: Codec, frame: Frame): void {
    this.serverRequests.forward(from, codec, frame);
  }

  onBadServerRequest(from: UpstreamConnection, frame: Frame): void {
    from.refuseRequest(frame, codeOf(frame.error), reasonOf(frame.error));
  }

  onClose(connection: UpstreamConnection, now: i64): void {
    this.serverRequests.drop(connection);
  }
}
