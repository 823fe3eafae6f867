import { Bytes } from "../bytes/bytes";
import { Traffic } from "../upstream/traffic";
import { UpstreamConnection } from "../upstream/upstream_connection";
import { Code } from "../message/code";
import { Codec } from "../xprotocol/codec";
import { Frame, FrameKind } from "../xprotocol/frame";

/** Hosts of a large cluster that one client's mirrored requests are spread over. */
const MAX_SPAN: i32 = 4;
/** Server connections for mirrored requests of one client, whatever their clusters. */
const MAX_MIRRORS: i32 = 8;
/** How long nothing is sent to a mirror cluster that no connection reaches, ms. */
const REST_MS: i64 = 1000;

const NOBODY = Bytes.of("requests are mirrored here: nobody answers");

/** A client's mirrored requests, on server connections of their own. Nothing that becomes of them holds up the client. */
export class MirrorTraffic extends Traffic {
  constructor() {
    super(true, MAX_SPAN, MAX_MIRRORS);
  }

  onLateResponse(codec: Codec): void {}

  /** There is nobody to answer a server. */
  onServerRequest(from: UpstreamConnection, codec: Codec, frame: Frame): void {
    if (frame.kind == FrameKind.REQUEST) from.refuseRequest(frame, Code.NO_HEALTH_UPSTREAM, NOBODY);
  }

  onBadServerRequest(from: UpstreamConnection, frame: Frame): void {
    from.refuseRequest(frame, Code.NO_HEALTH_UPSTREAM, NOBODY);
  }

  /** Where no host could be reached and no other one is up, the next connection is tried only after a while. */
  onClose(connection: UpstreamConnection, now: i64): void {
    const reached = connection.host !== null || connection.address.length > 0;
    const destination = connection.destination;
    if (!reached && !destination.set.hasUp(now)) destination.restUntil = now + REST_MS;
  }
}
