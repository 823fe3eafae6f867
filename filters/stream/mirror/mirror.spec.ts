// What tests/vectors cannot say: what is asked of the proxy. The copies themselves: tests/host/mirror.test.ts.
import { FilterRoots } from "../../../assembly/stream/filter";
import { FilterStatus, Phase } from "../../../assembly/stream/phase";
import { chainOf, chainWith, configured } from "../../../tests/unit/stream/configured";
import { TestHandler } from "../../../tests/unit/stream/test_handler";
import { mirror } from "./mirror";

const REQUESTS: i32 = 20000;

function run(config: string, percent: i32): TestHandler {
  const handler = new TestHandler();
  handler.percent = percent;
  handler.run(chainOf(mirror, config), Phase.AFTER_ROUTE);
  return handler;
}

describe("mirror", () => {
  test("as many copies as amplification says, of requests that a policy draws", () => {
    expect(run("{}", 100).mirrored).toStrictEqual([1]);
    expect(run("{'amplification':7}", 100).mirrored).toStrictEqual([7]);
    expect(run("{'amplification':7}", 0).mirrored.length).toBe(0);
    expect(run("{'broadcast':true}", 0).answered).toBe(false);
  });

  test("broadcast: to all, and the request is answered with 200", () => {
    const handler = new TestHandler();
    handler.percent = 100;
    expect(handler.run(chainOf(mirror, "{'broadcast':true}"), Phase.AFTER_ROUTE)).toBe(FilterStatus.STOP);
    expect(handler.mirrored).toStrictEqual([0]);
    expect(handler.responseCode).toBe(200);
    expect(handler.answer).toBe("");
  });

  test("on HTTP to the cluster of its own configuration, or the route's", () => {
    const handler = new TestHandler();
    const policy = configured(mirror, "{'cluster':'b','percent':100,'amplification':2}", FilterRoots.HTTP);
    handler.run(chainWith(mirror, policy), Phase.AFTER_ROUTE);
    expect(handler.mirroredTo).toStrictEqual(["2 to b"]);
    const never = configured(mirror, "{'cluster':'b','percent':0}", FilterRoots.HTTP);
    handler.run(chainWith(mirror, never), Phase.AFTER_ROUTE);
    expect(handler.mirroredTo.length).toBe(1);
    expect(handler.mirrored.length).toBe(0);
  });

  test("draws by the percentage", () => {
    const chain = chainOf(mirror, "{}");
    const handler = new TestHandler();
    handler.percent = 30;
    for (let i = 0; i < REQUESTS; i++) handler.run(chain, Phase.AFTER_ROUTE);
    const drawn = handler.mirrored.length;
    // More than six standard deviations off is a defect.
    expect(abs(drawn * 100 - 30 * REQUESTS) < 2 * REQUESTS).toBe(true, drawn.toString());
  });
});
