// Requests that wait for their turn: who leaves lets those behind move up, in one worker and in several.
import { Entry } from "../../../assembly/sentinel/entry";
import { FlowOutcome, FlowVerdict } from "../../../assembly/sentinel/verdict";
import { WaitQueue } from "../../../assembly/sentinel/queue";
import { MS } from "../../../assembly/sentinel/rules";
import { TestStore, World } from "./world";

const RULE = "{'rules':[{'resource':'abc','threshold':10,'controlBehavior':1,'maxQueueingTimeMs':100000}]}";

/** A request that knows when it was moved to. */
class Waiter extends Entry {
  moved: i64 = 0;

  onMoved(time: i64): void {
    this.moved = time;
  }
}

function waiters(world: World, count: i32): Waiter[] {
  const all: Waiter[] = [];
  for (let i = 0; i < count; i++) {
    const one = new Waiter();
    expect(world.enter(one)).toBe(FlowVerdict.PASS);
    all.push(one);
  }
  return all;
}

describe("the queue of one worker", () => {
  test("times belong to nobody: the first goes at the first time, whoever left", () => {
    const world = new World(RULE);
    const start = world.now;
    expect(world.passes(1)).toBe(1);
    const all = waiters(world, 5);
    for (let i = 0; i < 5; i++) expect(all[i].waitNs).toBe((i + 1) * 100 * MS);
    // The second leaves: nobody has to know yet, for the first goes when it did.
    world.engine.cancel(all[1], world.now);
    for (let i = 0; i < 5; i++) expect(all[i].moved).toBe(0);
    world.sleep(100);
    world.engine.go(all[0]);
    expect(all[2].moved - start).toBe(200 * MS);
    // The one that is first leaves: the next takes its time.
    world.engine.cancel(all[2], world.now);
    expect(all[3].moved - start).toBe(200 * MS);
    world.sleep(100);
    world.engine.go(all[3]);
    expect(all[4].moved - start).toBe(300 * MS);
    // The last of the times are free.
    const more = waiters(world, 2);
    expect(more[0].waitNs).toBe(200 * MS);
    expect(more[1].waitNs).toBe(300 * MS);
  });

  test("however many come, go and leave, no two go within the rule's distance", () => {
    const world = new World(RULE);
    const queue: Waiter[] = [];
    let random: u32 = 7;
    let last: i64 = 0;
    let gone = 0;
    let close = 0;
    for (let step = 0; step < 8000; step++) {
      random = random * 1664525 + 1013904223;
      const dice = (random >> 16) % 100;
      if (dice < 30 && queue.length < 40) {
        const one = new Waiter();
        world.enter(one);
        if (one.waitNs > 0) queue.push(one);
        else if (queue.length == 0) last = world.now;
      } else if (dice < 45 && queue.length > 0) {
        const at = ((random >> 8) % (queue.length as u32)) as i32;
        world.engine.cancel(queue.splice(at, 1)[0], world.now);
      } else world.sleep(10);
      while (queue.length > 0 && queue[0].dueNs <= world.now) {
        const one = queue.shift();
        if (one.dueNs - last < 100 * MS) close++;
        last = one.dueNs;
        world.engine.go(one);
        world.engine.exit(one, world.now, FlowOutcome.GOOD);
        gone++;
      }
    }
    expect(close).toBe(0);
    expect(gone > 200).toBe(true, gone.toString());
  });
});

describe("queues of several workers", () => {
  test("a time that is free before others' goes to the next that comes, and only to one", () => {
    const store = new TestStore();
    const a = new World(RULE, store);
    const b = new World(RULE, store);
    expect(a.passes(1)).toBe(1);
    const first = waiters(a, 3);
    const second = waiters(b, 2);
    expect(second[1].waitNs).toBe(500 * MS);
    // Its worker's last time is free: 300 ms.
    a.engine.cancel(first[0], a.now);
    const more = waiters(b, 2);
    // In b the others were there before, and go before.
    expect(second[0].moved - b.now).toBe(300 * MS);
    expect(more[0].waitNs).toBe(500 * MS);
    expect(more[1].waitNs).toBe(600 * MS);
  });

  test("the last times of all that become free shorten the queue, in whatever order", () => {
    const store = new TestStore();
    const a = new World(RULE, store);
    const b = new World(RULE, store);
    expect(a.passes(1)).toBe(1);
    const first = waiters(a, 2);
    const second = waiters(b, 2);
    for (let i = 0; i < 2; i++) a.engine.cancel(first[i], a.now);
    for (let i = 0; i < 2; i++) b.engine.cancel(second[i], b.now);
    expect(waiters(a, 1)[0].waitNs).toBe(100 * MS);
  });

  test("times that are over are nobody's, and more of them than have room are lost", () => {
    const store = new TestStore();
    const a = new World(RULE, store);
    const b = new World(RULE, store);
    expect(a.passes(1)).toBe(1);
    const first = waiters(a, 30);
    const second = waiters(b, 1);
    for (let i = 0; i < 30; i++) a.engine.cancel(first[i], a.now);
    // The first to come back were the last: the sixteen from 3 s down.
    expect(waiters(a, 1)[0].waitNs).toBe(1500 * MS);
    a.sleep(5000);
    b.sleep(5000);
    b.engine.go(second[0]);
    const late = new Waiter();
    expect(b.enter(late)).toBe(FlowVerdict.PASS);
    expect(late.waitNs).toBe(0);
    expect(waiters(b, 1)[0].waitNs).toBe(100 * MS);
  });

  test("a list of 100,000 keeps no memory of those that went", () => {
    const queue = new WaitQueue();
    const ring: Entry[] = [];
    let wrong = 0;
    for (let i = 0; i < 100; i++) ring.push(new Entry());
    for (let i = 0; i < 100000; i++) {
      const one = ring[i % 100];
      if (one.queue !== null) queue.go(one);
      if (queue.add(one, i) != i) wrong++;
    }
    expect(wrong).toBe(0);
    expect(queue.length).toBe(100);
  });
});
