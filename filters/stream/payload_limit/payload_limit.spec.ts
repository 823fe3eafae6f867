// What tests/vectors/payload_limit.json cannot say.
import { FilterStatus, Phase } from "../../../assembly/stream/phase";
import { chainOf, configured } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { payloadLimit } from "./payload_limit";

describe("payload_limit", () => {
  test("the body counts as filters before it left it", () => {
    const chain = chainOf(payloadLimit, "{'max_entity_size':10}");
    const handler = new TestHandler().withBody(100);
    handler.setRequestBody(handler.body.ptr, 10);
    expect(handler.run(chain, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    handler.withBody(11);
    expect(handler.run(chain, Phase.AFTER_ROUTE)).toBe(FilterStatus.STOP);
    expect(handler.answer.length > 0).toBe(true);
  });

  test("asks for bodies only where there is a limit", () => {
    expect(payloadLimit.needsRequestBody && payloadLimit.protective).toBe(true);
    expect(configured(payloadLimit, "{'max_entity_size':1}").readsRequestBody).toBe(true);
    expect(configured(payloadLimit, "{'http_status':500}").readsRequestBody).toBe(false);
  });
});
