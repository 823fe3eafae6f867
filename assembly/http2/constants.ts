// Names and numbers of HTTP/2 (RFC 9113).
import { Bytes } from "../bytes/bytes";

/** Frame types (RFC 9113 §6). */
export const enum FrameType {
  DATA = 0,
  HEADERS = 1,
  PRIORITY = 2,
  RST_STREAM = 3,
  SETTINGS = 4,
  PUSH_PROMISE = 5,
  PING = 6,
  GOAWAY = 7,
  WINDOW_UPDATE = 8,
  CONTINUATION = 9,
}

/** Frame flags; what a bit means depends on the frame type. */
export const enum Flags {
  NONE = 0,
  END_STREAM = 1,
  ACK = 1,
  END_HEADERS = 4,
  PADDED = 8,
  PRIORITY = 0x20,
}

/** Identifiers in a SETTINGS frame (RFC 9113 §6.5.2, RFC 8441). */
export const enum SettingId {
  HEADER_TABLE_SIZE = 1,
  ENABLE_PUSH = 2,
  MAX_CONCURRENT_STREAMS = 3,
  INITIAL_WINDOW_SIZE = 4,
  MAX_FRAME_SIZE = 5,
  MAX_HEADER_LIST_SIZE = 6,
  ENABLE_CONNECT_PROTOCOL = 8,
}

/** Error codes of RST_STREAM and GOAWAY (RFC 9113 §7). */
export const enum H2Code {
  NO_ERROR = 0,
  PROTOCOL_ERROR = 1,
  INTERNAL_ERROR = 2,
  FLOW_CONTROL_ERROR = 3,
  SETTINGS_TIMEOUT = 4,
  STREAM_CLOSED = 5,
  FRAME_SIZE_ERROR = 6,
  REFUSED_STREAM = 7,
  CANCEL = 8,
  COMPRESSION_ERROR = 9,
  CONNECT_ERROR = 10,
  ENHANCE_YOUR_CALM = 11,
  INADEQUATE_SECURITY = 12,
  HTTP_1_1_REQUIRED = 13,
}

/** Length of a frame header, bytes. */
export const FRAME_HEADER: i32 = 9;
/** Flow-control window of the connection and of each stream until changed, bytes. */
export const DEFAULT_WINDOW: i32 = 65535;
/** Largest window that flow control knows, bytes. */
export const MAX_WINDOW: i32 = 0x7fffffff;
/** Largest frame payload until the receiver allows more, and the least that it must allow, bytes. */
export const DEFAULT_MAX_FRAME: i32 = 16384;
/** Largest value of SETTINGS_MAX_FRAME_SIZE. */
export const MAX_FRAME_LIMIT: i32 = 0xffffff;
/** The bits of a 32-bit word that hold a stream id, an increment or a window; the first bit is reserved. */
export const STREAM_MASK: u32 = 0x7fffffff;

/** What a client sends before its first frame, its SETTINGS (RFC 9113 §3.4). */
export const CLIENT_PREFACE: Bytes = Bytes.of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
