// Bolt frames with one thing wrong.
import {
  BoltStatus,
  type FrameOptions,
  headerBlock,
  type Headers,
  request,
  resealed,
  response,
} from "../../host/kit/bolt.ts";

/** The versions of Bolt, for tests of all. */
export const VERSIONS = [{}, { version: 2 }, { version: 2, crc: true }] as const;
export type Version = (typeof VERSIONS)[number];

/** An answer that the proxy makes. */
export interface ProxyAnswer {
  status: number;
  reason: string;
}

export interface BadRequest {
  name: string;
  bytes: Buffer;
  /** The proxy's answer to id 2, if any. */
  answer?: ProxyAnswer;
  /** The connection closes. */
  closes?: boolean;
  /** A good frame, but not where it comes from. */
  decodes?: boolean;
  /** What the log says of it. */
  log: string;
}

/** What a server sends instead of a good answer to a request. */
export interface BadAnswer {
  name: string;
  bytes: (id: number) => Buffer;
  /** What the client gets. Without it the connection to the server is given up, and all that waits there fails. */
  answer?: ProxyAnswer;
  /** What the log says of it. */
  log: string;
}

const TOO_LARGE = { status: BoltStatus.UNKNOWN, reason: "frame too large" };
const BROKEN_HEADERS = { status: BoltStatus.SERVER_DESERIAL_EXCEPTION, reason: "broken header block" };
const AMBIGUOUS = { status: BoltStatus.UNKNOWN, reason: "ambiguous call: servers would read it differently" };
const CHECKSUM = { status: BoltStatus.CODEC_EXCEPTION, reason: "checksum mismatch" };
/** More than `max_frame_bytes`. */
const LARGE = Buffer.alloc(17 << 20);
const MALFORMED = { status: BoltStatus.CODEC_EXCEPTION, reason: "malformed frame" };

/** Bytes that start no protocol, however many follow. */
export const NO_PROTOCOL: Record<string, Buffer> = {
  "an HTTP/1 request": Buffer.from("GET / HTTP/1.1\r\nhost: example\r\n\r\n"),
  "an HTTP/2 preface": Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  "a TLS hello": Buffer.from("16030100c8010000c40303", "hex"),
  zeros: Buffer.alloc(64),
  "a mebibyte of 0xff": Buffer.alloc(1 << 20, 0xff),
  "Bolt with an unknown type": Buffer.from("0103", "hex"),
  "Bolt v2 with an unknown version": Buffer.from("0209", "hex"),
};

/** Where fields are that the versions have at different places. */
const shift = (version: Version) => ("version" in version ? 1 : 0);

/** A copy with other bytes from an offset on. */
function patched(frame: Buffer, at: number, ...bytes: number[]): Buffer {
  const copy = Buffer.from(frame);
  copy.set(bytes, at);
  return copy;
}

/** A copy with one bit turned round in a byte that is counted from the end, -1 being the last. */
function flipped(frame: Buffer, at: number): Buffer {
  const index = frame.length + at;
  return patched(frame, index, frame[index] ^ 1);
}

/** A frame whose header block is not what a block looks like. */
export function withBlock(make: (options: FrameOptions) => Buffer, block: Buffer, version: Version): Buffer {
  // A well-formed block of that length first, then the other one in its place, and the checksum made anew.
  const filler: Headers = [["k".repeat(block.length - 8), ""]];
  const good = make({ ...version, headers: filler });
  const at = good.indexOf(headerBlock(filler));
  return resealed(Buffer.concat([good.subarray(0, at), block, good.subarray(at + block.length)]));
}

/** SOFARPC would take of a broken block what it can read. */
const SOFA_REQUEST = "com.alipay.sofa.rpc.core.request.SofaRequest";

/** Blocks that contradict themselves. */
export const BROKEN_BLOCKS: Record<string, Buffer> = {
  "a key beyond the end": Buffer.from("000000ff6b65790000000176", "hex"),
  "a value beyond the end": Buffer.from("000000036b65797fffffff76", "hex"),
  "a key without a value": Buffer.from("000000056b65796b6579", "hex"),
};

/** What a client may send wrong after a good frame; the bad one has the id 2. */
export function badRequests(version: Version): BadRequest[] {
  const v2 = shift(version);
  const good = request(2, { ...version, content: "wrong" });
  const unknownCommand = (type: number) => resealed(patched(request(2, { ...version, type }), 2 + v2, 0, 77));
  const list: Omit<BadRequest, "log">[] = [
    { name: "a byte that starts no frame", bytes: patched(good, 0, 0x47), closes: true },
    { name: "an unknown type", bytes: patched(good, 1 + v2, 9), closes: true },
    { name: "a response", bytes: response(2, version), closes: true, decodes: true },
    {
      name: "a length of 4 GiB",
      bytes: patched(good, 18 + 2 * v2, 255, 255, 255, 255),
      answer: TOO_LARGE,
      closes: true,
    },
    { name: "an unknown command", bytes: unknownCommand(1), answer: MALFORMED },
    { name: "an unknown command, one-way", bytes: unknownCommand(2) },
  ];
  for (const [name, block] of Object.entries(BROKEN_BLOCKS)) {
    const sofa = (type: number) => ({ type, class: SOFA_REQUEST });
    const make = (type: number) => withBlock((options) => request(2, { ...options, ...sofa(type) }), block, version);
    list.push({ name: `headers with ${name}`, bytes: make(1), answer: BROKEN_HEADERS });
    list.push({ name: `headers with ${name}, one-way`, bytes: make(2) });
  }
  const services: Headers = [
    ["service", "a:1.0"],
    ["sofa_head_target_service", "b:1.0"],
  ];
  list.push({ name: "two services", bytes: request(2, { ...version, headers: services }), answer: AMBIGUOUS });
  list.push({ name: "two services, one-way", bytes: request(2, { ...version, headers: services, type: 2 }) });
  if (v2) list.push({ name: "an unknown version", bytes: patched(good, 1, 7), closes: true });
  if ("crc" in version) {
    list.push({ name: "a wrong checksum", bytes: flipped(good, -1), answer: CHECKSUM });
    list.push({ name: "changed content", bytes: flipped(good, -5), answer: CHECKSUM });
  }
  return list.map((bad) => ({
    ...bad,
    log: bad.decodes ? "a response to nothing" : (bad.answer ?? reasonOf(bad.name)).reason,
  }));
}

/** Of what is not answered. */
function reasonOf(name: string): ProxyAnswer {
  if (name.startsWith("headers")) return BROKEN_HEADERS;
  return name.startsWith("two services") ? AMBIGUOUS : MALFORMED;
}

/** What a server may send wrong. */
export function badAnswers(version: Version): BadAnswer[] {
  const v2 = shift(version);
  const good = (id: number) => response(id, { ...version, content: "wrong" });
  const list: Omit<BadAnswer, "log">[] = [
    { name: "an HTTP/1 response", bytes: () => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n") },
    { name: "zeros", bytes: () => Buffer.alloc(1000) },
    { name: "an unknown type", bytes: (id) => patched(good(id), 1 + v2, 9) },
    { name: "a length of 4 GiB", bytes: (id) => patched(good(id), 16 + 2 * v2, 255, 255, 255, 255) },
    { name: "a frame of 17 MiB", bytes: (id) => response(id, { ...version, content: LARGE }), answer: TOO_LARGE },
    { name: "an unknown command", bytes: (id) => resealed(patched(good(id), 2 + v2, 0, 77)), answer: MALFORMED },
  ];
  if ("crc" in version) {
    list.push({ name: "a wrong checksum", bytes: (id) => flipped(good(id), -1), answer: CHECKSUM });
    list.push({ name: "changed content", bytes: (id) => flipped(good(id), -5), answer: CHECKSUM });
  }
  return list.map((bad) => ({
    ...bad,
    answer: bad.answer && { ...bad.answer, reason: `bad answer of the server: ${bad.answer.reason}` },
    log: (bad.answer ?? MALFORMED).reason,
  }));
}
