import { Bytes } from "../../../assembly/bytes/bytes";
import { Decoded, FIXED_FIELD, Peer } from "../../../assembly/xprotocol/codec";
import * as frames from "../../../tests/unit/frames";
import { hex } from "../../../tests/unit/xprotocol/support";
import { dubbo, READS_ATTACHMENTS } from "./dubbo";
import {
  decode,
  encoded,
  frame,
  get,
  map,
  prefix,
  remove,
  replaced,
  request,
  response,
  s,
  set,
  shown,
} from "./testing";

describe("dubbo headers", () => {
  test("service, method, version and group change where they are, with the attachments that repeat them", () => {
    const pairs = ["path", "P", "interface", "P", "version", "1.0", "group", "g", "x", "y"];
    expect(decode(request(prefix("I") + "91" + map(pairs)))).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    expect(get(headers, "version")).toBe("1.0");
    set(headers, "service", "Q");
    set(headers, "method", "n");
    set(headers, "version", "2.0");
    set(headers, "group", "h");
    set(headers, "dubbo", "2.0.2");
    expect(get(headers, "path") + get(headers, "interface") + get(headers, "dubbo")).toBe("QQ2.0.2");
    const fields = s("2.0.2") + s("Q") + s("2.0") + s("n") + s("I");
    const after = ["path", "Q", "interface", "Q", "group", "h", "x", "y", "version", "2.0"];
    expect(encoded(headers)).toBe(request(fields + "91" + map(after)));
  });

  test("what is not there is not added; the service is what the attachment path says", () => {
    expect(decode(request(prefix("") + map(["path", "P"])))).toBe(Decoded.FRAME);
    let headers = dubbo.headers(frame);
    set(headers, "service", "Q");
    set(headers, "path", "other");
    expect(get(headers, "service")).toBe("other");
    const head = s("2.0.2") + s("other") + s("1.0") + s("m") + s("");
    expect(encoded(headers)).toBe(request(head + map(["path", "other"])));
    headers = dubbo.headers(frame);
    expect(remove(headers, "path")).toBe(1);
    expect(encoded(headers)).toBe(request(prefix("") + map([])));
    set(headers, "path", "/new");
    expect(get(headers, "service")).toBe("/new");
    expect(encoded(headers)).toBe("", "servers would take it for another one");
  });

  test("the version may be null, come, and go", () => {
    const start = s("2.0.2") + s("P");
    expect(decode(request(start + "4e" + s("m") + s("") + map(["a", "b"])))).toBe(Decoded.FRAME);
    let headers = dubbo.headers(frame);
    expect(get(headers, "version")).toBe("-");
    set(headers, "a", "c");
    expect(encoded(headers)).toBe(request(start + "4e" + s("m") + s("") + map(["a", "c"])));
    set(headers, "version", "1");
    expect(encoded(headers)).toBe(request(start + s("1") + s("m") + s("") + map(["a", "c"])));
    expect(decode(request(prefix("") + map(["version", "1.0", "a", "b"])))).toBe(Decoded.FRAME);
    headers = dubbo.headers(frame);
    expect(remove(headers, "version")).toBe(1);
    expect(encoded(headers)).toBe(request(start + "4e" + s("m") + s("") + map(["a", "b"])));
  });

  test("servers go by the attachment version: so does the header", () => {
    expect(decode(request(prefix("") + map(["version", "9"])))).toBe(Decoded.FRAME);
    expect(get(dubbo.headers(frame), "version")).toBe("9");
    expect(decode(request(s("2.0.2") + s("P") + "4e" + s("m") + s("") + map(["version", "9"])))).toBe(Decoded.FRAME);
    expect(get(dubbo.headers(frame), "version")).toBe("9");
  });

  test("attachments named like a field are further values", () => {
    expect(decode(request(prefix("") + map(["service", "evil", "dubbo", "x", "method", "n"])))).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    expect(get(headers, "service") + get(headers, "method") + get(headers, "dubbo")).toBe("Pm2.0.2");
    const name = Bytes.of("method");
    headers.add(name.ptr, name.length, name.ptr, 1);
    expect(shown(headers)).toBe("dubbo=2.0.2\nservice=P\nmethod=m\nversion=1.0\nservice=evil\ndubbo=x\n", "one value");
    expect(encoded(headers)).toBe(request(prefix("") + map(["service", "evil", "dubbo", "x"])));
  });

  test("the version of Dubbo is fixed; service and method stay: what would change that is refused, not lost", () => {
    const frames = [prefix("") + map(["k", "v"]), prefix("") + map(["service", "e", "dubbo", "x", "method", "n"])];
    for (let i = 0; i < frames.length; i++) {
      expect(decode(request(frames[i]))).toBe(Decoded.FRAME);
      let headers = dubbo.headers(frame);
      set(headers, "dubbo", "2.0.2");
      expect(headers.changed).toBe(false, "the same is no change");
      set(headers, "dubbo", "2.6.2");
      expect(headers.changed).toBe(true);
      expect(get(headers, "dubbo")).toBe("2.0.2");
      expect(encoded(headers)).toBe("");
      expect(dubbo.refusal).toBe(FIXED_FIELD);
      const names = ["dubbo", "service", "method"];
      for (let n = 0; n < names.length; n++) {
        headers = dubbo.headers(frame);
        expect(headers.changed).toBe(false);
        expect(remove(headers, names[n])).toBe(0);
        expect(headers.changed).toBe(true, names[n]);
        expect(encoded(headers)).toBe("", names[n]);
      }
    }
  });

  test("an answer's attachments have no fixed names", () => {
    expect(decode(response("94" + "91" + map(["dubbo", "2.0.2"])), Peer.SERVER)).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    set(headers, "dubbo", "x");
    expect(encoded(headers)).toBe(response("94" + "91" + map(["dubbo", "x"])));
    expect(remove(headers, "dubbo")).toBe(1);
    expect(encoded(headers)).toBe(response("94" + "91" + map([])));
  });

  test("values that are no strings are kept, references and classes included", () => {
    // An argument of class c, which two attachments refer to: by class, and by number.
    const argument = "43" + s("c") + "91" + s("f") + "60" + "90";
    const kept = s("n") + "91" + s("o") + "60" + "5190" + s("r") + "5192" + "91" + "4e";
    const head = prefix("Ljava/lang/Object;") + argument;
    expect(decode(request(head + "48" + kept + s("k") + s("v") + "5a"))).toBe(Decoded.FRAME);
    let headers = dubbo.headers(frame);
    expect(shown(headers)).toBe("dubbo=2.0.2\nservice=P\nmethod=m\nversion=1.0\nn=1\nk=v\n");
    expect(encoded(headers)).toBe(request(head + "48" + kept + s("k") + s("v") + "5a"));
    set(headers, "k", "w");
    expect(encoded(headers)).toBe(request(head + "48" + kept + s("k") + s("w") + "5a"));
    // A number goes like a string does.
    expect(remove(headers, "n")).toBe(1);
    expect(headers.changed).toBe(true);
    const without = kept.substr(s("n").length + 2);
    expect(encoded(headers)).toBe(request(head + "48" + without + s("k") + s("w") + "5a"));
    // An object cannot go as long as something behind it counts on it, and the argument cannot be replaced.
    headers = dubbo.headers(frame);
    expect(replaced(headers, "90")).toBe("");
    expect(remove(headers, "o")).toBe(1);
    expect(encoded(headers)).toBe("");
    remove(headers, "r");
    expect(encoded(headers)).toBe(request(head + "48" + s("n") + "91" + "91" + "4e" + s("k") + s("v") + "5a"));
  });

  test("setting an attachment that was no string leaves the string", () => {
    expect(decode(request(prefix("") + "48" + s("k") + "91" + "5a"))).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    expect(get(headers, "k")).toBe("1");
    set(headers, "k", "v");
    expect(encoded(headers)).toBe(request(prefix("") + map(["k", "v"])));
  });

  test("a typed map, chunked strings, and what is behind the attachments", () => {
    const kept = s("k") + "52000161" + "0162";
    const body = prefix("") + "4d" + s("M") + kept + s("c") + s("v") + "5a" + "9091";
    expect(decode(request(body))).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    expect(get(headers, "k") + get(headers, "c")).toBe("abv");
    expect(encoded(headers)).toBe(request(body));
    set(headers, "c", "w");
    expect(encoded(headers)).toBe(request(prefix("") + "4d" + s("M") + kept + s("c") + s("w") + "5a" + "9091"));
    set(headers, "k", "x");
    expect(encoded(headers)).toBe(
      request(prefix("") + "4d" + s("M") + s("k") + s("x") + s("c") + s("w") + "5a" + "9091"),
    );
  });

  test("a header that is no text is not written", () => {
    expect(decode(frames.DUBBO2_HELLO_C2S)).toBe(Decoded.FRAME);
    const headers = dubbo.headers(frame);
    const bad = hex("ff");
    const key = Bytes.of("method");
    headers.set(key.ptr, key.length, changetype<usize>(bad), 1);
    expect(encoded(headers)).toBe("");
  });

  test("the content of a request is its arguments", () => {
    expect(decode(frames.DUBBO2_HELLO_C2S)).toBe(Decoded.FRAME);
    const before = frames.DUBBO2_HELLO_C2S.replace(s("world"), s("earth!")).replace("000000bd", "000000be");
    expect(replaced(dubbo.headers(frame), s("earth!"))).toBe(before);
  });

  test("attachments of responses: the kind of the result follows what there is", () => {
    const with_ = map(["k", "v"]);
    const bodies = ["91" + "90", "92", "90" + "54", "94" + "90" + "48" + "5a", "95" + "4e"];
    const after = ["94" + "90" + with_, "95" + with_, "93" + "54" + with_, "94" + "90" + with_, "95" + with_];
    for (let i = 0; i < bodies.length; i++) {
      expect(decode(response(bodies[i]), Peer.SERVER)).toBe(Decoded.FRAME, bodies[i]);
      const headers = dubbo.headers(frame);
      expect(encoded(headers)).toBe(response(bodies[i]), bodies[i]);
      set(headers, "k", "v");
      expect(encoded(headers)).toBe(
        i < 3 ? "" : response(after[i]),
        bodies[i] + " for a client that nothing is known of",
      );
      frame.requestAux = READS_ATTACHMENTS;
      expect(encoded(headers)).toBe(response(after[i]), bodies[i]);
    }
    expect(decode(response("95" + with_), Peer.SERVER)).toBe(Decoded.FRAME);
    expect(replaced(dubbo.headers(frame), "91")).toBe(response("94" + "91" + with_));
    expect(decode(response("91" + "90"), Peer.SERVER)).toBe(Decoded.FRAME);
    expect(replaced(dubbo.headers(frame), "")).toBe(response("92"));
  });
});
