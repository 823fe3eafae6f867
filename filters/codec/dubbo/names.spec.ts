import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { Decoded, Peer } from "../../../assembly/xprotocol/codec";
import { FrameError, FrameKind } from "../../../assembly/xprotocol/frame";
import { dubbo } from "./dubbo";
import {
  decode,
  encoded,
  frame,
  get,
  map,
  method,
  prefix,
  remove,
  request,
  response,
  s,
  service,
  set,
  shown,
} from "./testing";
import { readsAttachments } from "./version";

const GENERIC = "Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;";

/** A generic call of this first argument, in hex. */
function generic(argument: string, name: string = "$invoke"): string {
  // The types are longer than a short string.
  const types = "30" + s(GENERIC);
  return request(s("2.0.2") + s("P") + s("1.0") + s(name) + types + argument + "78" + "78" + map(["generic", "true"]));
}

/** Whether the request is refused because servers could read it differently; it can be answered and skipped. */
function ambiguous(text: string): bool {
  if (decode(text) != Decoded.ERROR || frame.error != FrameError.AMBIGUOUS) return false;
  return frame.answerable && frame.id == 0xffffffff00000005 && frame.length == text.length >> 1;
}

describe("dubbo names", () => {
  test("the service is the attachment path, where servers look for it", () => {
    expect(decode(request(prefix("") + map(["path", "Other", "interface", "I"])))).toBe(Decoded.FRAME);
    expect(service()).toBe("Other");
    let headers = dubbo.headers(frame);
    expect(get(headers, "service") + get(headers, "path")).toBe("OtherOther");
    set(headers, "x", "y");
    const same = prefix("") + map(["path", "Other", "interface", "I", "x", "y"]);
    expect(encoded(headers)).toBe(request(same), "the field in front stays");
    set(headers, "service", "Q");
    const head = s("2.0.2") + s("Q") + s("1.0") + s("m") + s("");
    expect(encoded(headers)).toBe(request(head + map(["path", "Q", "interface", "Q", "x", "y"])));
    expect(decode(request(prefix("") + map(["path", "/Other"])))).toBe(Decoded.FRAME);
    expect(service()).toBe("Other", "dubbo-go leaves the slash out");
    expect(decode(request(prefix("") + map(["path", ""])))).toBe(Decoded.FRAME);
    expect(service()).toBe("P");
    expect(decode(request(prefix("") + "48" + s("path") + "4e" + "5a"))).toBe(Decoded.FRAME);
    expect(service()).toBe("P");
    expect(decode(request(s("2.0.2") + s("/P") + "4e" + s("m") + "00"))).toBe(Decoded.FRAME);
    expect(service()).toBe("P");
  });

  test("path, version and group come once, as strings or null", () => {
    const names = ["path", "version", "group"];
    for (let i = 0; i < names.length; i++) {
      const name = s(names[i]);
      expect(ambiguous(request(prefix("") + "48" + name + s("a") + name + s("a") + "5a"))).toBe(true, names[i]);
      expect(ambiguous(request(prefix("") + "48" + name + "91" + "5a"))).toBe(true, names[i]);
      expect(ambiguous(request(prefix("") + "48" + name + "5200016153000162" + "5a"))).toBe(true, "in pieces");
      expect(ambiguous(request(prefix("") + "48" + name + "01c1a1" + "5a"))).toBe(true, "overlong");
      expect(ambiguous(request(prefix("") + "48" + name + "7891" + "5a"))).toBe(true, "a list");
      expect(decode(request(prefix("") + "48" + name + "4e" + "5a"))).toBe(Decoded.FRAME, "null");
    }
    expect(decode(request(prefix("") + "48" + s("version") + "4e" + "5a"))).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    expect(get(headers, "version")).toBe("", "null is what servers take");
    set(headers, "a", "b");
    expect(encoded(headers)).toBe(request(prefix("") + "48" + s("version") + "4e" + s("a") + s("b") + "5a"));
    set(headers, "version", "2");
    const head = s("2.0.2") + s("P") + s("2") + s("m") + s("");
    expect(encoded(headers)).toBe(request(head + map(["a", "b"])));
  });

  test("names and keys that have another spelling are refused", () => {
    const odd = ["01c1a1", "01e081a1", "01c361", "5200016153000162", "91", "e1", "54", "5b", "3801ff".substr(0, 6)];
    for (let i = 0; i < odd.length; i++) {
      expect(ambiguous(request(s("2.0.2") + odd[i] + s("1") + s("m") + "00"))).toBe(true, odd[i]);
      expect(ambiguous(request(s("2.0.2") + s("P") + odd[i] + s("m") + "00"))).toBe(true, odd[i]);
      expect(ambiguous(request(s("2.0.2") + s("P") + s("1") + odd[i] + "00"))).toBe(true, odd[i]);
      expect(ambiguous(request(odd[i] + s("P") + s("1") + s("m") + "00"))).toBe(true, odd[i]);
    }
    const keys = ["04706174c1a8", "5200027061" + "027468", "5190", "78", "4d00" + "5a"];
    for (let i = 0; i < keys.length; i++) {
      expect(ambiguous(request(prefix("") + "48" + keys[i] + s("v") + "5a"))).toBe(true, keys[i]);
    }
    expect(decode(request(prefix("") + "48" + "91" + s("v") + "4e" + s("w") + "5a"))).toBe(Decoded.FRAME);
  });

  test("attachments that are no map, but that servers make one of, are refused", () => {
    const object = "43" + s("java.util.HashMap") + "91" + s("path") + "60" + s("Q");
    const others = [object, "5190", "7891", "57" + "5a"];
    const argument = map(["path", "Q"]);
    for (let i = 0; i < others.length; i++) {
      expect(ambiguous(request(prefix("Ljava/util/Map;") + argument + others[i]))).toBe(true, others[i]);
    }
  });

  test("types over which servers look away hide no attachments", () => {
    expect(decode(request(s("2.0.2") + s("P") + s("1") + s("m") + s("?I") + "90" + map(["path", "Q"])))).toBe(
      Decoded.FRAME,
    );
    expect(service()).toBe("Q");
  });

  test("the last of the attachments with the same key counts", () => {
    const body = prefix("") + map(["a", "1", "b", "x", "a", "2"]);
    expect(decode(request(body))).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    expect(get(headers, "a")).toBe("2");
    expect(encoded(headers)).toBe(request(body));
    set(headers, "b", "y");
    expect(encoded(headers)).toBe(request(prefix("") + map(["a", "2", "b", "y"])));
    expect(
      decode(request(prefix("") + "48" + s("a") + s("1") + s("a") + "92" + s("b") + "92" + s("b") + s("3") + "5a")),
    ).toBe(Decoded.FRAME);
    const mixed = dubbo.headers(frame);
    expect(get(mixed, "a") + get(mixed, "b")).toBe("23");
    set(mixed, "c", "d");
    const kept = s("a") + "92" + s("b") + "92";
    expect(encoded(mixed)).toBe(request(prefix("") + "48" + kept + s("b") + s("3") + s("c") + s("d") + "5a"));
    expect(decode(request(prefix("") + "48" + s("a") + s("1") + s("a") + "4e" + "5a"))).toBe(Decoded.FRAME);
    expect(get(dubbo.headers(frame), "a")).toBe("-", "null is nothing");
  });

  test("attachments that are numbers, true, false or strings of other spellings show as text, and keep their bytes", () => {
    const values = ["cbe8", "54", "46", "5c", "4c0000000000000100", "5200016153000162", "01c1a1", "fb00"];
    const texts = ["1000", "true", "false", "1.0", "256", "ab", "a", "768"];
    let body = "48";
    for (let i = 0; i < values.length; i++) body += s("k" + i.toString()) + values[i];
    for (let answer = 0; answer < 2; answer++) {
      const text = answer == 0 ? request(prefix("") + body + "5a") : response("95" + body + "5a");
      expect(decode(text, answer == 0 ? Peer.CLIENT : Peer.SERVER)).toBe(Decoded.FRAME);
      const headers = dubbo.headers(frame);
      for (let i = 0; i < texts.length; i++) expect(get(headers, "k" + i.toString())).toBe(texts[i], values[i]);
      expect(encoded(headers)).toBe(text);
      set(headers, "x", "y");
      const more = body + s("x") + s("y") + "5a";
      expect(encoded(headers)).toBe(answer == 0 ? request(prefix("") + more) : response("95" + more));
      expect(remove(headers, "k0")).toBe(1);
      expect(encoded(headers).includes("6b30")).toBe(false);
    }
  });
});

describe("dubbo generic calls", () => {
  test("the method is the first argument, as servers trim it", () => {
    const names = ["real", " real ", "real\n", "\t real"];
    for (let i = 0; i < names.length; i++) {
      const name = i % 2 == 0 ? "$invoke" : "$invokeAsync";
      expect(decode(generic(s(names[i]), name))).toBe(Decoded.FRAME, names[i]);
      expect(method()).toBe("real", names[i]);
      expect(frame.generic).toBe(true);
      expect(get(dubbo.headers(frame), "method")).toBe("real");
    }
    expect(decode(generic("4e"))).toBe(Decoded.FRAME);
    expect(method()).toBe("$invoke", "null");
    expect(decode(generic("78"))).toBe(Decoded.FRAME, "a list");
    expect(method()).toBe("$invoke", "no string");
    expect(decode(request(prefix("")))).toBe(Decoded.FRAME);
    expect(frame.generic).toBe(false);
  });

  test("another spelling of it is refused", () => {
    expect(ambiguous(generic("04" + "7265" + "c1a1" + "6c"))).toBe(true);
    expect(ambiguous(generic("5200027265" + "02616c"))).toBe(true);
    expect(ambiguous(generic("91"))).toBe(true);
    expect(ambiguous(request(s("2.0.2") + s("P") + s("1") + "0724696e766f6bc1a5" + s("I") + "90"))).toBe(
      true,
      "$invoke",
    );
  });

  test("it cannot be changed, other headers can", () => {
    expect(decode(generic(s("real")))).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    set(headers, "service", "Q");
    expect(encoded(headers)).toBe(generic(s("real")).replace(s("P"), s("Q")));
    set(headers, "method", "other");
    expect(encoded(headers)).toBe("");
    set(headers, "method", "real");
    expect(encoded(headers)).toBe(generic(s("real")).replace(s("P"), s("Q")));
  });
});

describe("dubbo versions", () => {
  test("whose clients read results with attachments", () => {
    const good = ["2.0.2", "2.0.3", "2.0.99", "2.0.2-SNAPSHOT", "2.0.2.1", "02.00.02"];
    for (let i = 0; i < good.length; i++) expect(reads(good[i])).toBe(true, good[i]);
    const bad = [
      "",
      "2.0.1",
      "2.0.10.x.1",
      "2.1.0",
      "2.6.2",
      "2.8.4",
      "1.0.0",
      "2",
      "2.0",
      "x",
      "3.0.0",
      "99999999999999999999",
    ];
    for (let i = 0; i < bad.length; i++) expect(reads(bad[i])).toBe(false, bad[i]);
  });

  test("are kept with the request", () => {
    expect(decode(request(prefix("")))).toBe(Decoded.FRAME);
    expect(frame.aux).toBe(0x22);
    expect(decode(request(s("2.6.2") + s("P") + s("1") + s("m") + "00"))).toBe(Decoded.FRAME);
    expect(frame.aux).toBe(2);
    expect(frame.kind).toBe(FrameKind.REQUEST);
    expect(shown(dubbo.headers(frame)).startsWith("dubbo=2.6.2\n")).toBe(true);
  });
});

function reads(text: string): bool {
  const bytes = Bytes.of(text);
  const view = new View();
  view.set(bytes.ptr, bytes.length);
  return readsAttachments(view);
}
