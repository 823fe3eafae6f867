import * as bolt from "../../host/kit/bolt.ts";
import { type Field, type Kind, MORE, NO_FRAME, recordings, type Wire } from "../wire.ts";

const CLASS = "com.alipay.sofa.rpc.core.request.SofaRequest";
/** Place of the text in templates: to build each frame anew costs too much. */
const TEXT = "~".repeat(32);
const HEADERS: bolt.Headers[] = [
  [],
  [["service", "com.example.Hello:1.0"]],
  [
    ["service", "com.example.Hello:1.0"],
    ["sofa_head_method_name", "hi"],
    ["x-ip", "10.1.2.3:55"],
    ["zone", "a"],
  ],
  [
    ["zone", ""],
    ["zone", "b".repeat(300)],
    ["x-ip", "no address"],
    ["rpc_trace_context.sofaTraceId", "0a"],
  ],
  [["service", "none"]],
];

/** Names that some readers take for `service`, and others do not. */
const OVERLONG = Buffer.from("c1b3c1a5c1b2c1b6c1a9c1a3c1a5", "hex").toString("latin1");
const SERVICE = "com.example.Hello:1.0";

/** Header blocks and timeouts that are legal, and hostile. */
function hostile(version: 1 | 2): Buffer[] {
  const many: bolt.Headers = Array.from({ length: 1900 }, () => ["", ""]);
  const blocks: bolt.Headers[] = [
    many,
    Array.from({ length: 600 }, (_, i) => [`k${i % 3}`, `${i}`]),
    [
      ["service", SERVICE],
      ["service", "none"],
    ],
    [
      ["service", "none"],
      ["sofa_head_target_service", SERVICE],
    ],
    [
      ["SERVICE", "none"],
      [OVERLONG, SERVICE],
      ["sofa_head_method_name", "$invoke"],
      ["sofa_head_generic_type", "2"],
    ],
  ];
  const timeouts = [-0x80000000, -1, 0, 1, 0x7fffffff];
  return blocks.flatMap((headers, i) =>
    timeouts.map((timeout, j) =>
      bolt.request(1 + i * 8 + j, { version, class: CLASS, headers, timeout, content: "x" }),
    ),
  );
}

/** A whole frame, and where the text's place is in it. */
interface Template {
  frame: Buffer;
  at: number;
}

/** Bolt 1 and 2 differ in a byte behind the magic and one before the special field; both may come on one connection. */
export function boltWire(version: 1 | 2): Wire {
  const shift = version - 1;
  const fields: Field[] = [
    [0, 1],
    [1 + shift, 1],
    [2 + shift, 2],
    [4 + shift, 1],
    [5 + shift, 4],
    [9 + shift, 1],
    [10 + 2 * shift, 4],
    [14 + 2 * shift, 2],
    [16 + 2 * shift, 2],
    [18 + 2 * shift, 4],
    [22 + 2 * shift + CLASS.length, 4],
  ];
  if (version === 2) fields.push([1, 1], [11, 1]);
  const requests = templates(
    (options) => bolt.request(0, { version, class: CLASS, ...options }),
    [0, 0, 10, 400, 5000],
  );
  const answers = templates((options) => bolt.response(0, { version, class: "r", ...options }), [0]);
  return {
    codecs: [version === 1 ? "bolt" : "boltv2"],
    fields,
    hostile: hostile(version),
    recorded: recordings(version === 1 ? /^(bolt-v1|sofa)-/ : /^bolt-v2/, length),
    length,
    id: (frame) => (frame.length < 9 + frame[0] ? null : `${frame.readUInt32BE(4 + frame[0])}`),
    kind,
    request(dice, text) {
      const frame = filled(dice.pick(requests), dice.roll(dice.pick([8, 0xffffffff])), text);
      frame[version] = dice.chance(10) ? 2 : 1;
      frame.writeInt32BE(dice.pick([-1, -1, 0, 3, 500]), 10 + 2 * shift);
      return bolt.reseal(frame);
    },
    heartbeat: (dice) => bolt.heartbeat(dice.roll(100), version),
    answer(request, text, dice) {
      const id = request.readUInt32BE(4 + request[0]);
      if (kind(request) === "heartbeat") return bolt.heartbeatAck(id, request[0] === 2 ? 2 : 1);
      const frame = filled(dice.pick(answers), id, text);
      if (dice.chance(20)) frame.writeUInt16BE(dice.roll(19), 10 + 2 * shift);
      return bolt.reseal(frame);
    },
    seal: (frame) => (frame.length > 26 ? bolt.reseal(frame) : frame),
  };
}

/** Frames with the headers above and contents of these sizes, with a checksum and without. */
function templates(make: (options: bolt.FrameOptions) => Buffer, sizes: number[]): Template[] {
  const all = [...HEADERS.map((headers) => ({ headers })), { class: "", headers: HEADERS[1] }];
  const options = all.flatMap((one) =>
    sizes.flatMap((size) => [true, false].map((crc) => ({ ...one, crc, content: TEXT + "x".repeat(size) }))),
  );
  return options.map(make).map((frame) => ({ frame, at: frame.indexOf(TEXT) }));
}

/** A copy with an id, and a text in the content. The checksum is to be put right. */
function filled({ frame, at }: Template, id: number, text: string): Buffer {
  const copy = Buffer.from(frame);
  copy.writeUInt32BE(id, 4 + copy[0]);
  copy.write(text.padEnd(TEXT.length), at, "latin1");
  return copy;
}

function length(bytes: Buffer): number {
  if (bytes.length < 2) return MORE;
  if (bytes[0] !== 1 && bytes[0] !== 2) return NO_FRAME;
  return bytes.length < 12 ? MORE : (bolt.frameLength(bytes) ?? MORE);
}

function kind(frame: Buffer): Kind {
  const [type, command] = [frame[frame[0]], frame.readUInt16BE(1 + frame[0])];
  if (type === 0) return command === 0 ? "heartbeatAck" : "response";
  if (type > 2) return "other";
  if (command === 0) return "heartbeat";
  return type === 2 ? "oneway" : "request";
}
