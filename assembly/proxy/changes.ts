// Messages that rules or filters have changed. What a frame cannot carry is lost: the message goes on as it came, and that
// is counted and logged. With `strict_changes` the message is refused.
import { ByteBuffer } from "../bytes/buffer";
import { View } from "../bytes/view";
import { Codec, FRAME_TOO_LONG } from "../xprotocol/codec";
import { Frame } from "../xprotocol/frame";
import { Headers } from "../message/headers";
import { Client } from "./client";
import { ProxyConfig } from "./config";

/**
 * Appends a message that the services' input is bound to, with its changed headers and this body, or as it came where that
 * cannot be expressed. `newBody`: the body is not the frame's. Then the old body never goes on instead: where the new one
 * does not fit with the headers that came either, the message is refused; and so is one that will be written again with
 * its changes (`again`), because to try the headers that came drops them. False, and nothing appended, for what is refused.
 */
export function writeChanged(
  client: Client,
  codec: Codec,
  frame: Frame,
  body: View,
  newBody: bool,
  id: u64,
  out: ByteBuffer,
  again: bool = false,
): bool {
  const services = client.services;
  const config = services.config;
  const input = services.input;
  const headers = input.headers;
  if (headers !== null && encode(config, codec, frame, headers, body, id, out)) return true;
  services.protocol(codec).lostChanges.add(1);
  services.clients.lostChange(client.info, codec, frame, input, config.strictChanges, services.now());
  if (config.strictChanges || (newBody && again)) return false;
  if (newBody) return encode(config, codec, frame, codec.headers(frame), body, id, out);
  codec.copy(frame, id, out);
  return true;
}

/** No message grows beyond `max_frame_bytes`, whatever its codec makes of `maxLength`. */
function encode(
  config: ProxyConfig,
  codec: Codec,
  frame: Frame,
  headers: Headers,
  body: View,
  id: u64,
  out: ByteBuffer,
): bool {
  const most = config.maxFrameBytes;
  const before = out.length;
  codec.maxLength = most;
  if (!codec.encode(frame, headers, body.ptr, body.length, id, out)) return false;
  if (out.length - before <= max(most, frame.length)) return true;
  out.truncate(before);
  codec.refusal = FRAME_TOO_LONG;
  return false;
}
