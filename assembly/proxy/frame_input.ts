import { View } from "../bytes/view";
import { RouteInput } from "../router/input";
import { Codec } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";

/** A request frame as the router sees it; one object, bound to one request after the other. */
export class FrameInput extends RouteInput {}
export class RoutedHeaders {}
