import { Timer, TimerWheel } from "../../../assembly/host/timers";

let turns: i32 = 0;

class Recorded extends Timer {
  fired: i64 = -1;
  /** How many have fired before. */
  turn: i32 = -1;
  /** What to do on firing: cancel one timer, set another anew. */
  cancels: Recorded | null = null;
  sets: Recorded | null = null;

  constructor(private readonly wheel: TimerWheel) {
    super();
  }

  onTimer(now: i64): void {
    this.fired = now;
    this.turn = turns++;
    const cancels = this.cancels;
    if (cancels !== null) this.wheel.cancel(cancels);
    const sets = this.sets;
    if (sets !== null) this.wheel.set(sets, now + 10, true);
  }
}

const START: i64 = 1790000000000;

describe("TimerWheel", () => {
  test("fires each timer once, at the first advance at or after its deadline", () => {
    const wheel = new TimerWheel();
    wheel.advance(START);
    const timers = new Array<Recorded>();
    let random: u32 = 12345;
    for (let i = 0; i < 3000; i++) {
      random = random * 1103515245 + 12345;
      const timer = new Recorded(wheel);
      wheel.set(timer, START + ((random >> 8) % 70000), (random & 1) == 0);
      timers.push(timer);
    }
    expect(wheel.count).toBe(3000);
    let before = START;
    for (let now = START + 3; now < START + 71000; now += 7) {
      wheel.advance(now);
      before = now;
    }
    expect(wheel.count).toBe(0);
    expect(wheel.preciseCount).toBe(0);
    for (let i = 0; i < timers.length; i++) {
      const late = timers[i].fired - timers[i].deadline;
      if (late < 0 || late > 14) expect(late).toBe(0, `timer ${i}`);
    }
    expect(before).toBeGreaterThan(START);
  });

  test("cancels and sets anew, also from timers that fire at the same time", () => {
    const wheel = new TimerWheel();
    wheel.advance(START);
    const a = new Recorded(wheel);
    const b = new Recorded(wheel);
    const c = new Recorded(wheel);
    wheel.set(c, START + 8, true);
    wheel.set(b, START + 8, true);
    wheel.set(a, START + 8, true);
    a.cancels = b;
    c.cancels = b;
    a.sets = a;
    wheel.advance(START + 12);
    // The first one cancelled the second.
    expect(b.fired).toBe(-1);
    expect(a.fired).toBe(START + 12);
    expect(c.fired).toBe(START + 12);
    expect(wheel.count).toBe(1);
    a.sets = null;
    wheel.advance(START + 40);
    expect(a.fired).toBe(START + 40);
    expect(wheel.count).toBe(0);
  });

  test("a deadline that has passed fires with the next slot, and a long sleep loses nothing", () => {
    const wheel = new TimerWheel();
    wheel.advance(START);
    const late = new Recorded(wheel);
    const far = new Recorded(wheel);
    wheel.set(late, START - 500, true);
    wheel.set(far, START + 600000, false);
    wheel.advance(START + 4);
    expect(late.fired).toBe(START + 4);
    wheel.advance(START + 599000);
    expect(far.fired).toBe(-1);
    wheel.advance(START + 999000);
    expect(far.fired).toBe(START + 999000);
  });

  test("setting again moves a timer", () => {
    const wheel = new TimerWheel();
    wheel.advance(START);
    const timer = new Recorded(wheel);
    wheel.set(timer, START + 10, true);
    wheel.set(timer, START + 1000, false);
    expect(wheel.count).toBe(1);
    expect(wheel.preciseCount).toBe(0);
    wheel.advance(START + 500);
    expect(timer.fired).toBe(-1);
    wheel.advance(START + 1004);
    expect(timer.fired).toBe(START + 1004);
  });

  test("timers that an advance finds due together fire in the order of their slots, and in one as they were set", () => {
    const wheel = new TimerWheel();
    wheel.advance(START);
    const timers: Recorded[] = [];
    for (let i = 0; i < 12; i++) {
      const timer = new Recorded(wheel);
      timers.push(timer);
      wheel.set(timer, START + 8 + i * 2, true);
    }
    timers[3].cancels = timers[5];
    timers[4].cancels = timers[11];
    turns = 0;
    wheel.advance(START + 100);
    let next = 0;
    for (let i = 0; i < timers.length; i++) expect(timers[i].turn).toBe(i == 5 || i == 11 ? -1 : next++, `timer ${i}`);
    // The list's end is where it belongs: another round works as the first.
    wheel.set(timers[5], START + 110, true);
    wheel.set(timers[11], START + 120, true);
    wheel.advance(START + 200);
    expect(timers[5].turn).toBe(next);
    expect(timers[11].turn).toBe(next + 1);
  });
});
