import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { FlowVerdict } from "../../../assembly/sentinel/verdict";

const RULE: string = "%RULE%";
const RESOURCE: string = "%RESOURCE%";
/** What stands for them: in the order of `FlowVerdict`. */
const RULES: Bytes[] = [
  Bytes.EMPTY,
  Bytes.of("flow rule"),
  Bytes.of("isolation rule"),
  Bytes.of("hot parameter rule"),
  Bytes.of("circuit breaker"),
  Bytes.of("system rule"),
  Bytes.of("unknown count"),
];
/** The same for access logs. */
const REASONS: Bytes[] = [
  Bytes.EMPTY,
  Bytes.of("flow_control{flow,"),
  Bytes.of("flow_control{isolation,"),
  Bytes.of("flow_control{hot_param,"),
  Bytes.of("flow_control{breaker,"),
  Bytes.of("flow_control{system,"),
  Bytes.of("flow_control{unknown,"),
];
const CLOSE: u32 = 0x7d;
/** Bytes of a resource's name that are told. */
const MAX_NAME: i32 = 200;

const written = new ByteBuffer();

/** The text of answers to requests that are blocked: with %RULE%, the kind of rule, and %RESOURCE%. */
export class Answer {
  /** What stands between the places, and the places: true where it is the rule. */
  private readonly pieces: Bytes[] = [];
  private readonly rules: bool[] = [];

  constructor(text: string) {
    let rest = text;
    for (;;) {
      const rule = rest.indexOf(RULE);
      const resource = rest.indexOf(RESOURCE);
      if (rule < 0 && resource < 0) break;
      const isRule = resource < 0 || (rule >= 0 && rule < resource);
      const at = isRule ? rule : resource;
      this.pieces.push(Bytes.of(rest.substring(0, at)));
      this.rules.push(isRule);
      rest = rest.substring(at + (isRule ? RULE.length : RESOURCE.length));
    }
    this.pieces.push(Bytes.of(rest));
  }

  /** The text for a verdict on a resource. */
  text(verdict: FlowVerdict, resource: Bytes): Bytes {
    written.clear();
    for (let i = 0; i < this.pieces.length; i++) {
      append(this.pieces[i]);
      if (i >= this.rules.length) break;
      if (this.rules[i]) append(RULES[verdict as i32]);
      else appendName(resource);
    }
    return Bytes.copy(written.ptr, written.length);
  }
}

/** What access logs are told: "flow_control{RULE,RESOURCE}", without spaces. */
export function reasonOf(verdict: FlowVerdict, resource: Bytes): Bytes {
  written.clear();
  append(REASONS[verdict as i32]);
  appendName(resource);
  written.appendByte(CLOSE);
  return Bytes.copy(written.ptr, written.length);
}

function append(piece: Bytes): void {
  written.append(piece.ptr, piece.length);
}

/** A name is what a client sent: what is no visible ASCII becomes "_". */
function appendName(name: Bytes): void {
  const length = min(name.length, MAX_NAME);
  for (let i = 0; i < length; i++) {
    const c = load<u8>(name.ptr + (i as usize)) as u32;
    written.appendByte(c > 0x20 && c < 0x7f ? c : 0x5f);
  }
}
