// The filter alone: `npm run test:unit`.
import { FilterStatus, Phase } from "moe-wasm/assembly/stream/phase";
import { chainOf } from "moe-wasm/tests/unit/stream/configured";
import { TestHandler } from "moe-wasm/tests/unit/stream/test_handler";
import { refuseHeader } from "./refuse_header";

describe("refuse_header", () => {
  test("answers and counts requests with the header", () => {
    const chain = chainOf(refuseHeader, "{'header':'user','code':429}");
    const handler = new TestHandler().header("user", "eve");
    expect(handler.run(chain, Phase.AFTER_ROUTE)).toBe(FilterStatus.STOP);
    expect(handler.responseCode).toBe(429);
    expect(handler.answer).toBe("refused by refuse_header");
    expect(handler.counted.value("moe.filter.refuse_header.refused")).toBe(1);
  });

  test("lets others pass", () => {
    const chain = chainOf(refuseHeader, "{'header':'user'}");
    expect(new TestHandler().header("name", "eve").run(chain, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
  });
});
