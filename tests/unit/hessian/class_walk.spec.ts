// The walk over classes on bytes at the very end of the memory, whole, cut and changed; and what names it asks about.
import { ClassCheck, ClassWalk, NamesIn, Verdict } from "../../../assembly/hessian/class_walk";
import { Dialect, HESSIAN_2, HESSIAN_2_DRAFT } from "../../../assembly/hessian/dialect";
import { MAX_NAME } from "../../../assembly/hessian/names";
import { atEdge, hex, Random } from "../xprotocol/support";

/** Notes the names; those that begin with "x" may not be. */
class Check extends ClassCheck {
  names: string[] = [];

  allows(ptr: usize, length: i32): bool {
    this.names.push(String.UTF8.decodeUnsafe(ptr, length));
    return length == 0 || load<u8>(ptr) != 0x78;
  }
}

const walk = new ClassWalk();
const check = new Check();

function verdictOf(dialect: Dialect, text: string, names: NamesIn = NamesIn.SIGNATURES): Verdict {
  const bytes = hex(text);
  check.names = [];
  return walk.walk(dialect, atEdge(changetype<usize>(bytes), bytes.length), bytes.length, names, check);
}

/** The names of a stream that may be. */
function namesOf(dialect: Dialect, text: string): string {
  expect(verdictOf(dialect, text)).toBe(Verdict.ALLOWED, text);
  return check.names.join(" ");
}

/** Hessian of a short text. */
function s(text: string): string {
  let out = text.length.toString(16).padStart(2, "0");
  for (let i = 0; i < text.length; i++) out += text.charCodeAt(i).toString(16).padStart(2, "0");
  return out;
}

/** The draft's definition of a class, without fields but those. */
function draftClass(name: string, fields: string[] = []): string {
  let out = "4f" + (0x90 + name.length).toString(16) + s(name).substring(2) + (0x90 + fields.length).toString(16);
  for (let i = 0; i < fields.length; i++) out += s(fields[i]);
  return out;
}

/** Streams with every form of everything. */
const DRAFT: string[] = [
  "4e544690c800d4000049000000014c0000000000000001e0f8003c00007700000001",
  "6768697f6a00016b00000000440000000000000000640000000000000001",
  // Strings and binaries, in chunks, too.
  "016173000161530001627300016101625300002042000161620001614200016262000161" + "2162",
  // Maps without a type, with one, with the number of one in both ways.
  "4d7a4d7400016190917a4d759090917a4d549090917a",
  // Lists without a length, with each kind of one, with a type.
  "567a56907a566e01907a566c00000001907a567400016290907a5674000163" + "6e007a76919190",
  draftClass("a", ["f", "g"]) + "6f9090916f9090914a004b00005200000001",
  "56" + draftClass("a") + "6f90" + draftClass("b", ["methodArgSigs"]) + "6f915674000263646e02" + s("d") + "4e7a7a",
];
const FINISHED: string[] = [
  "4e544690c800d4000049000000014c0000000000000001e0f8003c00005900000001",
  "5b5c5d7f5e00015f000000004400000000000000004a00000000000000014b00000001",
  "01615200016153000162520001610162300161" + "2042000161410001612162340161",
  "485a4d016190915a4d9090915a",
  "575a57905a550162905a5590905a5690919058919071909078" + "7990",
  "43016192016601676090914f9090915190",
  "5892" + "430162" + "91" + s("methodArgSigs") + "6072" + s("cd") + s("d") + "4e" + "90",
];

function streamsOf(dialect: Dialect): string[] {
  return dialect === HESSIAN_2 ? FINISHED : DRAFT;
}

describe("ClassWalk", () => {
  test("reads every form of both versions, and asks about every class", () => {
    for (let i = 0; i < DRAFT.length; i++) namesOf(HESSIAN_2_DRAFT, DRAFT[i]);
    for (let i = 0; i < FINISHED.length; i++) namesOf(HESSIAN_2, FINISHED[i]);
    expect(namesOf(HESSIAN_2_DRAFT, DRAFT[3])).toBe("a");
    expect(namesOf(HESSIAN_2_DRAFT, DRAFT[4])).toBe("b c");
    expect(namesOf(HESSIAN_2_DRAFT, DRAFT[6])).toBe("a b cd d");
    expect(namesOf(HESSIAN_2, FINISHED[6])).toBe("b cd d");
  });

  test("no stream that is cut inside a value", () => {
    for (let version = 0; version < 2; version++) {
      const dialect = version == 0 ? HESSIAN_2 : HESSIAN_2_DRAFT;
      const streams = streamsOf(dialect);
      for (let i = 3; i < streams.length; i++) {
        // A list around it: what is cut does not end it.
        const whole = (version == 0 ? "57" : "56") + streams[i] + (version == 0 ? "5a" : "7a");
        expect(verdictOf(dialect, whole)).toBe(Verdict.ALLOWED, whole);
        for (let at = 2; at < whole.length; at += 2) {
          const verdict = verdictOf(dialect, whole.substring(0, at));
          if (verdict != Verdict.UNREADABLE) expect(whole.substring(0, at)).toBe("");
        }
      }
    }
  });

  test("whatever the bytes, it ends and reads none that are not there", () => {
    const random = new Random(4711);
    const found = new StaticArray<i32>(4);
    for (let round = 0; round < 60000; round++) {
      const dialect = round % 2 == 0 ? HESSIAN_2 : HESSIAN_2_DRAFT;
      const streams = streamsOf(dialect);
      const bytes = hex(streams[random.below(streams.length)] + streams[random.below(streams.length)]);
      const changes = random.below(4);
      for (let i = 0; i < changes; i++) bytes[random.below(bytes.length)] = random.next() as u8;
      const length = bytes.length - (random.below(3) == 0 ? random.below(bytes.length) : 0);
      const names = random.below(3) as NamesIn;
      check.names = [];
      found[walk.walk(dialect, atEdge(changetype<usize>(bytes), length), length, names, check)]++;
    }
    // All of them come.
    expect(found[Verdict.ALLOWED] > 1000).toBe(true);
    expect(found[Verdict.UNREADABLE] > 1000).toBe(true);
  });

  test("a class that may not be is named, without what makes it an array", () => {
    const bad = ["4d017890905a", "4d025b7890905a", "4d035b5b7890905a", "71017890"];
    for (let i = 0; i < bad.length; i++) {
      expect(verdictOf(HESSIAN_2, bad[i])).toBe(Verdict.DENIED, bad[i]);
      expect(String.UTF8.decodeUnsafe(walk.name.ptr, walk.name.length)).toBe("x");
    }
    expect(namesOf(HESSIAN_2, "7004" + "5b4c613b")).toBe("a");
    expect(namesOf(HESSIAN_2, "7002" + "5b42")).toBe("");
    expect(namesOf(HESSIAN_2, "7003" + "615b5d")).toBe("a");
  });

  test("names are of 1,024 bytes at most", () => {
    for (let i = 0; i < 2; i++) {
      const length = MAX_NAME + i;
      const text = "4d53" + length.toString(16).padStart(4, "0") + "61".repeat(length) + "5a";
      expect(verdictOf(HESSIAN_2, text)).toBe(i == 0 ? Verdict.ALLOWED : Verdict.DENIED);
      // The same in chunks, of which the second is a character.
      const chunks = "4d52" + (length - 1).toString(16).padStart(4, "0") + "61".repeat(length - 1) + "01615a";
      expect(verdictOf(HESSIAN_2, chunks)).toBe(i == 0 ? Verdict.ALLOWED : Verdict.DENIED);
    }
  });

  test("maps name classes in generic calls only", () => {
    const map = "48" + s("class") + s("x") + "5a";
    expect(verdictOf(HESSIAN_2, map, NamesIn.MAPS)).toBe(Verdict.DENIED);
    expect(verdictOf(HESSIAN_2, map, NamesIn.NOTHING)).toBe(Verdict.ALLOWED);
    expect(verdictOf(HESSIAN_2, map, NamesIn.SIGNATURES)).toBe(Verdict.ALLOWED);
    // As a value it is no key.
    expect(verdictOf(HESSIAN_2, "4890" + s("class") + s("x") + "905a", NamesIn.MAPS)).toBe(Verdict.ALLOWED);
  });

  test("a generic call whose arguments are in another serialization is another one", () => {
    const others = ["nativeJAVA", "gson", "protobuf-json", "tomorrow's"];
    const values = ["true", "BEAN", "raw.return", "false", ""];
    for (let i = 0; i < others.length; i++) {
      const attachments = "48" + s("generic") + s(others[i]) + "5a";
      expect(verdictOf(HESSIAN_2, attachments, NamesIn.MAPS)).toBe(Verdict.OTHER, others[i]);
      expect(verdictOf(HESSIAN_2, attachments, NamesIn.NOTHING)).toBe(Verdict.ALLOWED);
      // Within an argument it is data.
      expect(verdictOf(HESSIAN_2, "5791" + attachments + "5a", NamesIn.MAPS)).toBe(Verdict.ALLOWED);
    }
    for (let i = 0; i < values.length; i++) {
      expect(verdictOf(HESSIAN_2, "48" + s("generic") + s(values[i]) + "5a", NamesIn.MAPS)).toBe(Verdict.ALLOWED);
    }
  });

  test("fields called class name classes in generic calls: what is no class is read as a map", () => {
    const object = "43" + s("a") + "92" + s("f") + s("class") + "60" + "90" + s("x");
    expect(verdictOf(HESSIAN_2, object, NamesIn.MAPS)).toBe(Verdict.DENIED);
    expect(verdictOf(HESSIAN_2, object, NamesIn.NOTHING)).toBe(Verdict.ALLOWED);
    const good = "43" + s("a") + "92" + s("f") + s("class") + "60" + s("x") + s("b") + "90";
    expect(verdictOf(HESSIAN_2, good, NamesIn.MAPS)).toBe(Verdict.ALLOWED);
    const other = "43" + s("a") + "91" + s("class") + "60" + "48" + s("k") + s("x") + "5a";
    expect(verdictOf(HESSIAN_2, other, NamesIn.MAPS)).toBe(Verdict.ALLOWED);
    const twice = "43" + s("a") + "92" + s("class") + s("class") + "60" + "9090";
    expect(verdictOf(HESSIAN_2, twice, NamesIn.MAPS)).toBe(Verdict.UNREADABLE);
  });

  test("one of the outermost values may list names", () => {
    const bytes = hex(s("x") + "72075b737472696e67" + s("a") + s("x") + s("x"));
    const verdicts: Verdict[] = [Verdict.ALLOWED, Verdict.UNREADABLE, Verdict.DENIED, Verdict.UNREADABLE];
    for (let types = -1; types < 3; types++) {
      const at = atEdge(changetype<usize>(bytes), bytes.length);
      const verdict = walk.walk(HESSIAN_2, at, bytes.length, NamesIn.MAPS, check, types);
      expect(verdict).toBe(verdicts[types + 1], types.toString());
    }
  });

  test("classes that name another class are followed, and are objects", () => {
    const held = "43" + s("java.lang.Class") + "91" + s("name") + "60";
    const bean = "43" + s("b.JavaBeanDescriptor") + "92" + s("className") + s("type") + "60";
    const thrown = "43" + s("b.GenericException") + "91" + s("exceptionClass") + "60";
    const all: NamesIn[] = [NamesIn.NOTHING, NamesIn.SIGNATURES, NamesIn.MAPS];
    for (let i = 0; i < all.length; i++) {
      expect(verdictOf(HESSIAN_2, held + s("x"), all[i])).toBe(Verdict.DENIED);
      expect(verdictOf(HESSIAN_2, held + s("a"), all[i])).toBe(Verdict.ALLOWED);
      expect(verdictOf(HESSIAN_2, held + s("[I"), all[i])).toBe(Verdict.ALLOWED);
      expect(verdictOf(HESSIAN_2, bean + s("x") + "97", all[i])).toBe(Verdict.DENIED);
      expect(verdictOf(HESSIAN_2, bean + s("a") + "97", all[i])).toBe(Verdict.ALLOWED);
      // The class that it stands for is in its properties.
      expect(verdictOf(HESSIAN_2, bean + s("java.lang.Class") + "91", all[i])).toBe(Verdict.DENIED);
      expect(verdictOf(HESSIAN_2, thrown + s("x"), all[i])).toBe(Verdict.DENIED);
      expect(verdictOf(HESSIAN_2, thrown + s("a"), all[i])).toBe(Verdict.ALLOWED);
      for (let j = 0; j < 2; j++) {
        const name = j == 0 ? "java.lang.Class" : "b.JavaBeanDescriptor";
        expect(verdictOf(HESSIAN_2, "4d" + s(name) + "905a", all[i])).toBe(Verdict.UNREADABLE);
        expect(verdictOf(HESSIAN_2, "71" + s(name) + "90", all[i])).toBe(Verdict.UNREADABLE);
        expect(verdictOf(HESSIAN_2, "71" + s("[" + name) + "4e", all[i])).toBe(Verdict.ALLOWED);
      }
    }
    expect(verdictOf(HESSIAN_2_DRAFT, draftClass("java.lang.Class", ["name"]) + "6f90" + s("x"))).toBe(Verdict.DENIED);
  });
});
