import { Bytes } from "../../../assembly/bytes/bytes";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";

function errorOf(text: string): string {
  const bytes = Bytes.of(text);
  const errors = new ConfigErrors();
  parseJson(bytes.ptr, bytes.length, errors);
  return errors.message;
}

/** The text, parsed and written again; or the error. */
function round(text: string): string {
  const bytes = Bytes.of(text);
  const errors = new ConfigErrors();
  const value = parseJson(bytes.ptr, bytes.length, errors);
  return value === null ? errors.message : value.toJson();
}

describe("parseJson", () => {
  test("reads what RFC 8259 allows", () => {
    expect(round(' {"a" : [1, -2.5, 1e3, true,false,null, "x\\u00e9\\ud83d\\ude00\\n"] , "":{} }\r\n')).toBe(
      '{"a":[1,-2.5,1000,true,false,null,"x\u00e9\ud83d\ude00\\n"],"":{}}',
    );
    expect(errorOf("[1,]")).toBe("configuration (line 1, column 4): invalid JSON: expected a value");
  });
});
