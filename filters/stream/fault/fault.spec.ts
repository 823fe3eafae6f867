// What tests/vectors cannot say: lots that are drawn, and requests that end while they wait.
import { FilterStatus, Phase, ResponseFlag } from "../../../assembly/stream/phase";
import { chainOf } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { fault } from "./fault";

const REQUESTS: i32 = 20000;

/** Shares of a hundred: requests that are delayed, aborted, and both. */
class Shares {
  delayed: i32 = 0;
  aborted: i32 = 0;
  both: i32 = 0;

  constructor(text: string) {
    const chain = chainOf(fault, text);
    const handler = new TestHandler();
    for (let i = 0; i < REQUESTS; i++) {
      handler.flags = 0;
      handler.run(chain, Phase.AFTER_ROUTE);
      const delayed = (handler.flags & ResponseFlag.DELAY_INJECTED) != 0;
      const aborted = (handler.flags & ResponseFlag.FAULT_INJECTED) != 0;
      if (delayed) this.delayed++;
      if (aborted) this.aborted++;
      if (delayed && aborted) this.both++;
    }
  }
}

/** Whether `count` is about so many of a hundred requests: more than six standard deviations off is a defect. */
function isAbout(count: i32, percent: i32): bool {
  return abs(count * 100 - percent * REQUESTS) < 2 * REQUESTS;
}

describe("fault", () => {
  test("draws delays and aborts by their percentages, each apart from the other", () => {
    const shares = new Shares("{'delay':{'fixed_delay':'1s','percentage':30},'abort':{'status':500,'percentage':50}}");
    expect(isAbout(shares.delayed, 30)).toBe(true, shares.delayed.toString());
    expect(isAbout(shares.aborted, 50)).toBe(true, shares.aborted.toString());
    expect(isAbout(shares.both, 15)).toBe(true, shares.both.toString());
  });

  test("1 and 99 of a hundred", () => {
    const shares = new Shares("{'delay':{'fixed_delay':'1s','percentage':1},'abort':{'status':500,'percentage':99}}");
    expect(shares.delayed > 0 && isAbout(shares.delayed, 1)).toBe(true, shares.delayed.toString());
    expect(shares.aborted < REQUESTS && isAbout(shares.aborted, 99)).toBe(true, shares.aborted.toString());
  });

  test("a request that ends while it waits leaves nothing to the next one", () => {
    const chain = chainOf(
      fault,
      "{'delay':{'fixed_delay':'1s','percentage':100},'abort':{'status':500,'percentage':100}}",
    );
    const gone = new TestHandler();
    expect(chain.receive(gone, Phase.AFTER_ROUTE)).toBe(FilterStatus.WAIT);
    chain.reset();
    expect(gone.answered).toBe(false);
    expect(chain.resume(gone, Phase.AFTER_ROUTE)).toBe(FilterStatus.CONTINUE);
    expect(gone.answered).toBe(false);
    chain.reset();
    const next = new TestHandler();
    expect(next.run(chain, Phase.AFTER_ROUTE)).toBe(FilterStatus.STOP);
    expect(next.waited).toBe(1000);
    expect(next.responseCode).toBe(500);
  });

  test("the draw of the abort comes after the delay, by the configuration of before", () => {
    const chain = chainOf(
      fault,
      "{'delay':{'fixed_delay':'1s','percentage':100},'abort':{'status':418,'percentage':100}}",
    );
    const handler = new TestHandler();
    expect(chain.receive(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.WAIT);
    expect(handler.answered).toBe(false);
    expect(chain.resume(handler, Phase.AFTER_ROUTE)).toBe(FilterStatus.STOP);
    expect(handler.responseCode).toBe(418);
  });
});
