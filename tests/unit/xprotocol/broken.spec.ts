// The conformance suite against codecs that are wrong on purpose: it has to find it, and to say what is lost.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";
import { store16be } from "../../../assembly/bytes/memory";
import { Peer } from "../../../assembly/xprotocol/codec";
import { Frame } from "../../../assembly/xprotocol/frame";
import { Headers, HeaderVisitor } from "../../../assembly/message/headers";
import { HeaderList } from "../../../assembly/message/list";
import { ignored } from "./ignored";
import { smuggled } from "./smuggling";
import { Subject } from "./subject";
import { TestCodec } from "./test_codec";

// Metadata s=S, m=hi.
const REQUEST = "d500800000000000000100000024012c0000000b" + "68656c6c6f" + "01730001530" + "16d00026869";

/** Copies pairs as a protocol in text would have them read that joins name, `between`, value and `behind`. */
class TextReader extends HeaderVisitor {
  constructor(
    private readonly between: u8,
    private readonly behind: u8,
    private readonly to: HeaderList,
  ) {
    super();
  }

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    const line = new ByteBuffer();
    line.append(key, keyLength);
    line.appendByte(this.between);
    line.append(value, valueLength);
    line.appendByte(this.behind);
    let from: usize = 0;
    for (let at: usize = 0; at < (line.length as usize); at++) {
      if (load<u8>(line.ptr + at) != this.behind) continue;
      let middle = from;
      while (middle < at && load<u8>(line.ptr + middle) != this.between) middle++;
      const start = min(middle + 1, at);
      this.to.add(line.ptr + from, (middle - from) as i32, line.ptr + start, (at - start) as i32);
      from = at + 1;
    }
    line.free();
    return true;
  }
}

/** Writes headers as text, without a look at what is in them. */
class TextCodec extends TestCodec {
  constructor(
    private readonly between: string,
    private readonly behind: string,
  ) {
    super();
  }

  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    const list = new HeaderList();
    headers.forEach(new TextReader(this.between.charCodeAt(0) as u8, this.behind.charCodeAt(0) as u8, list));
    const written = super.encode(frame, list, content, contentLength, id, out);
    list.free();
    return written;
  }
}

/** Cuts values where C would. */
class CutCodec extends TestCodec {
  private readonly cutter: Cutter = new Cutter();

  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    this.cutter.to.clear();
    headers.forEach(this.cutter);
    return super.encode(frame, this.cutter.to, content, contentLength, id, out);
  }
}

class Cutter extends HeaderVisitor {
  readonly to: HeaderList = new HeaderList();

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    let length = 0;
    while (length < valueLength && load<u8>(value + length) != 0) length++;
    this.to.add(key, keyLength, value, length);
    return true;
  }
}

/** Forgets the timeout when it writes headers anew. */
class TimelessCodec extends TestCodec {
  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    const before = out.length;
    if (!super.encode(frame, headers, content, contentLength, id, out)) return false;
    if (headers.changed) store16be(out.ptr + before + 14, 0);
    return true;
  }
}

/** Writes the content of the frame as it came, less its last byte. */
class ShortCodec extends TestCodec {
  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    return super.encode(frame, headers, content, max(contentLength - 1, 0), id, out);
  }
}

/** Says that it cannot, and leaves half of it. */
class HalfCodec extends TestCodec {
  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    out.append(frame.ptr, 5);
    return false;
  }
}

/** Headers with one that stays whatever is done to it. */
class StubbornHeaders extends HeaderList {
  constructor(private readonly stubborn: Bytes) {
    super();
  }

  set(key: usize, keyLength: i32, value: usize, valueLength: i32): void {
    if (!this.stubborn.equals(key, keyLength)) super.set(key, keyLength, value, valueLength);
  }

  remove(key: usize, keyLength: i32): i32 {
    return this.stubborn.equals(key, keyLength) ? 0 : super.remove(key, keyLength);
  }
}

/** Takes changes of a field and says nothing. */
class StubbornCodec extends TestCodec {
  private readonly own: StubbornHeaders;

  constructor(name: string) {
    super();
    this.own = new StubbornHeaders(Bytes.of(name));
  }

  headers(frame: Frame): Headers {
    const copier = new Copier(this.own);
    this.own.clear();
    super.headers(frame).forEach(copier);
    return this.own;
  }
}

class Copier extends HeaderVisitor {
  constructor(private readonly to: HeaderList) {
    super();
  }

  onHeader(key: usize, keyLength: i32, value: usize, valueLength: i32): bool {
    return this.to.append(key, keyLength, value, valueLength);
  }
}

/** Writes frames with the headers that came. */
class ReplayCodec extends TestCodec {
  encode(frame: Frame, headers: Headers, content: usize, contentLength: i32, id: u64, out: ByteBuffer): bool {
    return super.encode(frame, this.headers(frame), content, contentLength, id, out);
  }
}

/** What the suite says of a codec. */
function verdict(codec: TestCodec): string {
  const subject = new Subject(codec);
  subject.add("request", REQUEST, Peer.CLIENT);
  return smuggled(subject);
}

/** What it says of changes that are lost without a word. */
function silent(codec: TestCodec): string {
  const subject = new Subject(codec);
  subject.add("request", REQUEST, Peer.CLIENT);
  return ignored(subject);
}

describe("the conformance suite", () => {
  test("has nothing against a codec that writes lengths", () => {
    expect(verdict(new TestCodec())).toBe("");
  });

  test("names the header that a separator makes", () => {
    const wanted = 'header "x-evil" was not there before, after "x-new" was set to "a\\x0ax-evil';
    expect(verdict(new TextCodec(":", "\n")).startsWith(wanted)).toBe(true, verdict(new TextCodec(":", "\n")));
    const separators = ["\n", "\r", "\0", "&", ";", ",", "|"];
    for (let i = 0; i < separators.length; i++) {
      const found = verdict(new TextCodec("\x03", separators[i]));
      expect(found.includes('header "x-evil" was not there before')).toBe(true, separators[i] + ": " + found);
      expect(found.includes('"x-new" was set to')).toBe(true, found);
    }
  });

  test("names what is cut off, of a name or a value", () => {
    const found = verdict(new TextCodec("=", "\x1f"));
    expect(found.startsWith('header "a\\x0ax-evil" was not there before')).toBe(true, found);
    expect(found.includes('after "a\\x0ax-evil=1" was set to "x-new": a name with a separator in it')).toBe(
      true,
      found,
    );
    const cut = verdict(new CutCodec());
    expect(cut.startsWith('header "x-new" is "a" instead of "a\\x00x-evil"')).toBe(true, cut);
  });

  test("names the header whose change is lost without a word", () => {
    expect(silent(new TestCodec())).toBe("");
    const wanted = 'header "m" is lost: it does not count as changed after it was set [request]';
    expect(silent(new StubbornCodec("m"))).toBe(wanted);
    expect(silent(new ReplayCodec())).toBe('header "s" is lost after it was set [request]');
  });

  test("names the field that is lost with a change", () => {
    expect(verdict(new TimelessCodec()).startsWith("field timeout is lost")).toBe(true);
    expect(verdict(new ShortCodec()).startsWith("field content is lost")).toBe(true);
    expect(verdict(new HalfCodec()).startsWith("bytes were appended")).toBe(true);
  });
});
