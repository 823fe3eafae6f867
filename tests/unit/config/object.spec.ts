import { Bytes } from "../../../assembly/bytes/bytes";
import { formatDuration, parseDuration } from "../../../assembly/config/duration";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";
import { ObjectReader } from "../../../assembly/config/object";

let errors = new ConfigErrors();

/** The object in the text, at path "a.b[1]". */
function open(text: string): ObjectReader {
  const bytes = Bytes.of(text);
  errors = new ConfigErrors();
  return new ObjectReader(parseJson(bytes.ptr, bytes.length, errors), "a.b[1]", errors);
}

function expectError(text: string): void {
  expect(errors.message).toBe("a.b[1]" + text);
}

/** As Go's time.ParseDuration gives them, nanoseconds; "!": refused. */
const DURATIONS: string[][] = [
  ["0", "0"],
  ["-0", "0"],
  ["+0", "0"],
  ["1s", "1000000000"],
  ["1m30s", "90000000000"],
  ["200ms", "200000000"],
  ["1.5h", "5400000000000"],
  ["-1s", "-1000000000"],
  ["+5s", "5000000000"],
  [".5s", "500000000"],
  ["1.s", "1000000000"],
  ["5.6s", "5600000000"],
  ["3h30m", "12600000000000"],
  ["10.5s4m", "250500000000"],
  ["-2m3.4s", "-123400000000"],
  ["1h2m3s4ms5us6ns", "3723004005006"],
  ["14us", "14000"],
  ["12\u00b5s", "12000"],
  ["12\u03bcs", "12000"],
  ["39h9m14.425s", "140954425000000"],
  ["52763797000ns", "52763797000"],
  ["0.3333333333333333333h", "1200000000000"],
  ["9007199254740993ns", "9007199254740993"],
  ["9223372036854775807ns", "9223372036854775807"],
  ["9223372036.854775807s", "9223372036854775807"],
  ["0.100000000000000000000h", "360000000000"],
  ["0.830103483285477580700h", "2988372539827"],
  ["2562047h", "9223369200000000000"],
  ["", "!"],
  ["3", "!"],
  ["-", "!"],
  ["s", "!"],
  [".", "!"],
  ["-.", "!"],
  [".s", "!"],
  ["+.s", "!"],
  ["1d", "!"],
  ["1S", "!"],
  ["1 s", "!"],
  [" 1s", "!"],
  ["1s ", "!"],
  ["1s1", "!"],
  ["1e3s", "!"],
  ["--1s", "!"],
  ["9223372036854775808ns", "!"],
  ["9223372036854775.808us", "!"],
  ["2562048h", "!"],
  ["3000000h", "!"],
  ["18446744073709551616ns", "!"],
  ["2562047h1000h", "!"],
];

describe("durations", () => {
  test("are read as Go reads them", () => {
    for (let i = 0; i < DURATIONS.length; i++) {
      const duration = parseDuration(DURATIONS[i][0]);
      expect(duration.valid ? duration.nanoseconds.toString() : "!").toBe(DURATIONS[i][1], DURATIONS[i][0]);
    }
  });

  test("are written short", () => {
    expect(formatDuration(0)).toBe("0");
    expect(formatDuration(1500000000)).toBe("1500ms");
    expect(formatDuration(-1000000000)).toBe("-1s");
    expect(formatDuration(120000000000)).toBe("2m");
    expect(formatDuration(7200000000000)).toBe("2h");
  });
});

describe("ObjectReader", () => {
  test("gives values", () => {
    const from = open(
      '{"s":"x","e":"","b":true,"i":-3,"u":18446744073709551615,"f":1.5,"d":"1500us","o":{"k":"v","l":"w"},' +
        '"a":[{"x":1},{"x":2}],"t":["p","q"],"n":[1,2],"c":"two","z":null}',
    );
    expect(from.string("s")).toBe("x");
    expect(from.string("e", "fallback")).toBe("");
    expect(from.required("s")).toBe("x");
    expect(from.bytes("s").toString()).toBe("x");
    expect(from.bool("b", false)).toBe(true);
    expect(from.integer("i", 0, -3, 3)).toBe(-3);
    expect(from.unsigned("u", 0, 0, u64.MAX_VALUE)).toBe(u64.MAX_VALUE);
    expect(from.float("f", 0, 0, 2)).toBe(1.5);
    expect(from.float("i", 0, -5, 2)).toBe(-3);
    expect(from.nanoseconds("d", 0, 0, 10000000)).toBe(1500000);
    expect(from.milliseconds("d", 0, 0, 10)).toBe(2);
    expect(from.choice("c", 0, ["one", "two"])).toBe(1);
    expect(from.stringMap("o").get("l")).toBe("w");
    const objects = from.objects("a");
    expect(objects.length).toBe(2);
    expect(objects[1].integer("x", 0, 0, 9)).toBe(2);
    expect(objects[1].path).toBe("a.b[1].a[1]");
    expect(from.strings("t").join()).toBe("p,q");
    expect(from.integers("n", 0, 9).join()).toBe("1,2");
    expect(from.has("z")).toBe(false);
    expect(from.has("s")).toBe(true);
    from.finish();
    expect(errors.message).toBe("");
  });

  test("takes fractions as strings, too: Envoy makes them of YAML", () => {
    const from = open('{"a":"0.5","b":"1e3","c":"-2","d":"0.5x","e":"","f":"3","g":" 1","h":true,"i":"1e999"}');
    expect(from.float("a", 0, 0, 1)).toBe(0.5);
    expect(from.float("b", 0, 0, 1000)).toBe(1000);
    expect(from.float("c", 0, -2, 1)).toBe(-2);
    expect(errors.message).toBe("");
    const wrong = ["d", "e", "f", "g", "h", "i"];
    for (let i = 0; i < wrong.length; i++) {
      open('{"d":"0.5x","e":"","f":"3","g":" 1","h":true,"i":"1e999"}').float(wrong[i], 0, 0, 1);
      expect(errors.message.includes("expected a number from 0.0 to 1.0, got ")).toBe(true, wrong[i]);
    }
  });

  test("gives defaults for what is absent or null", () => {
    const from = open('{"i":null,"s":null,"o":null}');
    expect(from.integer("i", 7, 0, 3)).toBe(7);
    expect(from.string("s", "d")).toBe("d");
    expect(from.bool("b", true)).toBe(true);
    expect(from.float("f", 2.5, 0, 1)).toBe(2.5);
    expect(from.unsigned("u", 3, 0, 1)).toBe(3);
    expect(from.milliseconds("d", 9, 0, 1)).toBe(9);
    expect(from.choice("c", 1, ["x"])).toBe(1);
    expect(from.object("o").string("x", "none")).toBe("none");
    expect(from.objects("a").length).toBe(0);
    expect(from.strings("t").length).toBe(0);
    from.finish();
    expect(errors.message).toBe("");
  });

  test("rounds durations away from zero", () => {
    const from = open('{"a":"1ns","b":"-1ns","c":"999us","d":"1ms","e":"1000001ns"}');
    expect(from.milliseconds("a", 0, -9, 9)).toBe(1);
    expect(from.milliseconds("b", 0, -9, 9)).toBe(-1);
    expect(from.milliseconds("c", 0, -9, 9)).toBe(1);
    expect(from.milliseconds("d", 0, -9, 9)).toBe(1);
    expect(from.milliseconds("e", 0, -9, 9)).toBe(2);
  });

  test("says what it expected and what it got", () => {
    open('{"x":1}').string("x");
    expectError(".x (line 1, column 6): expected a string, got 1");
    open('{"x":"' + "y".repeat(100) + '"}').bool("x", false);
    expectError('.x (line 1, column 6): expected true or false, got "' + "y".repeat(64) + '..."');
    open('{"x":[1]}').integer("x", 0, 1, 2);
    expectError(".x (line 1, column 6): expected an integer from 1 to 2, got an array");
    open('{"x":3}').integer("x", 0, 1, 2);
    expectError(".x (line 1, column 6): expected an integer from 1 to 2, got 3");
    open('{"x":1.5}').integer("x", 0, 1, 2);
    expectError(".x (line 1, column 6): expected an integer from 1 to 2, got 1.5");
    open('{"x":9223372036854775808}').integer("x", 0, 0, i64.MAX_VALUE);
    expectError(".x (line 1, column 6): expected an integer from 0 to 9223372036854775807, got 9223372036854775808");
    open('{"x":-1}').unsigned("x", 0, 0, 5);
    expectError(".x (line 1, column 6): expected an integer from 0 to 5, got -1");
    open('{"x":{}}').float("x", 0, 0, 1);
    expectError(".x (line 1, column 6): expected a number from 0.0 to 1.0, got an object");
    open('{"x":true}').milliseconds("x", 0, 0, 1);
    expectError('.x (line 1, column 6): expected a duration such as "3s", got true');
    open('{"x":"1 h"}').milliseconds("x", 0, 0, 1);
    expectError('.x (line 1, column 6): expected a duration such as "3s", got "1 h"');
    open('{"x":"2h"}').milliseconds("x", 0, 0, 3600000);
    expectError('.x (line 1, column 6): expected a duration from 0 to 1h, got "2h"');
    open('{"x":"b"}').choice("x", 0, ["a", "c"]);
    expectError('.x (line 1, column 6): expected one of "a", "c", got "b"');
    open('{"x":[]}').object("x").string("y");
    expectError(".x (line 1, column 6): expected an object, got an array");
    open('{"x":[{},1]}').objects("x");
    expectError(".x[1] (line 1, column 10): expected an object, got 1");
    open('{"x":["",null]}').strings("x");
    expectError(".x[1] (line 1, column 10): expected a string, got null");
    open('{"x":[1,99]}').integers("x", 0, 9);
    expectError(".x[1] (line 1, column 9): expected an integer from 0 to 9, got 99");
    open('{"x":{"k":1}}').stringMap("x");
    expectError(".x.k (line 1, column 11): expected a string, got 1");
    open('{"y":1}').required("x");
    expectError(".x (line 1, column 1): must be given and not be empty");
    open("[]").string("x");
    expectError(" (line 1, column 1): expected an object, got an array");
  });

  test("refuses fields nobody asked for", () => {
    const from = open('{"a":1,\n "bb":2}');
    from.integer("a", 0, 0, 9);
    from.string("c");
    from.finish();
    expectError(' (line 2, column 7): unknown field "bb"; allowed: a, c');
    open('{"a":1}').finish();
    expectError(' (line 1, column 6): unknown field "a"; none is allowed here');
  });

  test("keeps the first error", () => {
    const from = open('{"a":1,"b":2}');
    from.string("b");
    from.string("a");
    from.finish();
    expectError(".b (line 1, column 12): expected a string, got 2");
  });
});
