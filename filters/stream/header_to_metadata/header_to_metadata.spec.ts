// What tests/vectors/header_to_metadata.json cannot say.
import { Bytes } from "../../../assembly/bytes/bytes";
import { FilterStatus, Phase } from "../../../assembly/stream/phase";
import { chainOf } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { headerToMetadata } from "./header_to_metadata";

const ZONE = "{'request_rules':[{'header':'zone','on_header_present':{'key':'zone'}}]}";

function label(handler: TestHandler, key: string, value: string): void {
  const bytes = Bytes.of(value);
  handler.setLabel(Bytes.of(key), bytes.ptr, bytes.length);
}

describe("header_to_metadata", () => {
  test("adds to the labels that are there, and replaces one of the same key", () => {
    const handler = new TestHandler().header("zone", "b");
    label(handler, "zone", "a");
    label(handler, "color", "red");
    expect(handler.run(chainOf(headerToMetadata, ZONE), Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(handler.labelText).toBe("color: red\nzone: b");
  });

  test("counts the labels that it could not set, and lets the request pass", () => {
    const handler = new TestHandler().header("zone", "a\tb");
    expect(handler.run(chainOf(headerToMetadata, ZONE), Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(handler.labelText).toBe("");
    expect(handler.failures.join()).toBe("header_to_metadata");
  });

  test("so, too, when there are too many of them", () => {
    const handler = new TestHandler().header("zone", "a");
    for (let i = 0; i < 16; i++) label(handler, "k" + i.toString(), "v");
    expect(handler.run(chainOf(headerToMetadata, ZONE), Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(handler.labels.count).toBe(16);
    expect(handler.failures.length).toBe(1);
  });

  test("a value copied before its header goes", () => {
    const handler = new TestHandler().header("zone", "a").header("other", "x");
    const rules = "{'header':'zone','on_header_present':{'key':'zone'},'remove':true}";
    handler.run(chainOf(headerToMetadata, `{'request_rules':[${rules}]}`), Phase.AFTER_ROUTE);
    handler.header("later", "y");
    expect(handler.labelText).toBe("zone: a");
    expect(handler.headerText).toBe("other: x\nlater: y");
  });
});
