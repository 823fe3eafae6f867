// Which configuration is in force, of those in use in a VM.
import { Bytes } from "../../../assembly/bytes/bytes";
import { Timer } from "../../../assembly/host/timers";
import { FilterConfig } from "../../../assembly/stream/filter";
import { FilterPlugin } from "../../../assembly/stream/plugin";
import { TestMetrics } from "../../../tests/unit/stream/test_handler";
import { Follower, Succession } from "./succession";

class TestPlugin extends FilterPlugin {
  setTimer(timer: Timer, ms: i64): void {}
  cancelTimer(timer: Timer): void {}
}

class TestConfig extends FilterConfig {}

function plugin(): FilterPlugin {
  return new TestPlugin(new TestMetrics());
}

function follower(key: string, owner: FilterPlugin = plugin()): Follower {
  return new Follower(Bytes.of(key), owner, new TestConfig());
}

function inForce(one: Follower): Follower {
  const newest = one.newest;
  return newest !== null ? newest : one;
}

/** Whether each of them goes by that one. */
function all(go: Follower[], by: Follower): bool {
  for (let i = 0; i < go.length; i++) if (inForce(go[i]) !== by) return false;
  return true;
}

const SETTLED: i64 = 10000;

describe("configurations in use", () => {
  test("go by the newest of their key, in one step", () => {
    const succession = new Succession();
    const them: Follower[] = [];
    for (let i = 0; i < 100; i++) {
      const next = follower("a");
      them.push(next);
      succession.begin(next, i);
      expect(all(them, next)).toBe(true);
    }
  });

  test("go by the newest that is left, whichever ends, and forget those that ended", () => {
    const succession = new Succession();
    const them = [follower("a"), follower("a"), follower("a"), follower("a")];
    for (let i = 0; i < 4; i++) succession.begin(them[i], 0);
    succession.end(them[1]);
    expect(inForce(them[1]) === them[1]).toBe(true);
    expect(all([them[0], them[2], them[3]], them[3])).toBe(true);
    succession.end(them[3]);
    succession.end(them[3]);
    expect(all([them[0], them[2]], them[2])).toBe(true);
    succession.end(them[2]);
    expect(all([them[0]], them[0])).toBe(true);
    succession.confirm(them[2], SETTLED);
    expect(all([them[0]], them[0])).toBe(true);
  });

  test("keep to their key, and to their place among those of one plugin", () => {
    const succession = new Succession();
    const before = plugin();
    const after = plugin();
    const other = follower("b", before);
    const old = [follower("a", before), follower("a", before)];
    const young = [follower("a", after), follower("a", after), follower("a", after)];
    succession.begin(other, 0);
    for (let i = 0; i < old.length; i++) succession.begin(old[i], 0);
    expect(all([old[0]], old[0]) && all([old[1]], old[1])).toBe(true);
    for (let i = 0; i < young.length; i++) succession.begin(young[i], 0);
    expect(all([other], other)).toBe(true);
    expect(all([old[0], young[0]], young[0])).toBe(true);
    expect(all([old[1], young[1]], young[1])).toBe(true);
    expect(all([young[2]], young[2])).toBe(true);
  });

  test("are in force again with a connection, but not at once", () => {
    const succession = new Succession();
    const them = [follower("a"), follower("a")];
    succession.begin(them[0], 0);
    succession.begin(them[1], 1000);
    succession.confirm(them[0], 1000 + SETTLED - 1);
    expect(all(them, them[1])).toBe(true);
    succession.confirm(them[0], 1000 + SETTLED);
    expect(all(them, them[0])).toBe(true);
    // And the other way, as long after.
    succession.confirm(them[1], 1000 + 2 * SETTLED - 1);
    expect(all(them, them[0])).toBe(true);
    succession.confirm(them[1], 1000 + 2 * SETTLED);
    expect(all(them, them[1])).toBe(true);
    succession.confirm(them[1], 1000 + 9 * SETTLED);
    succession.confirm(them[0], 1000 + 3 * SETTLED);
    expect(all(them, them[0])).toBe(true);
  });
});
