import { DEFAULT_WINDOW } from "../../../assembly/http2/constants";
import { ReceiveWindow, SendWindow } from "../../../assembly/http2/flow";

describe("SendWindow", () => {
  test("counts down, grows, and never passes 2^31 - 1", () => {
    const window = new SendWindow(DEFAULT_WINDOW);
    window.sent(DEFAULT_WINDOW);
    expect(window.available).toBe(0);
    expect(window.increase(0x7fffffff)).toBe(true);
    expect(window.available).toBe(0x7fffffff);
    expect(window.increase(1)).toBe(false);
    expect(window.available).toBe(0x7fffffff);
    window.sent(5);
    expect(window.increase(6)).toBe(false);
    expect(window.increase(5)).toBe(true);
    expect(window.increase(0xffffffff)).toBe(false);
  });

  test("follows SETTINGS_INITIAL_WINDOW_SIZE below 0 and back (RFC 9113 §6.9.2)", () => {
    const window = new SendWindow(DEFAULT_WINDOW);
    window.sent(60000);
    expect(window.adjust(DEFAULT_WINDOW, 16384)).toBe(true);
    expect(window.available).toBe(16384 - 60000);
    expect(window.increase(43616)).toBe(true);
    expect(window.available).toBe(0);
    expect(window.adjust(16384, 16385)).toBe(true);
    expect(window.available).toBe(1);
    expect(window.adjust(0, 0x7fffffff)).toBe(false);
    expect(window.available).toBe(1);
  });

  test("the largest changes do not overflow", () => {
    const window = new SendWindow(0x7fffffff);
    window.sent(0x7fffffff);
    expect(window.adjust(0x7fffffff, 0)).toBe(true);
    expect(window.available).toBe(-0x7fffffff);
    expect(window.adjust(1, 0)).toBe(false);
    expect(window.adjust(0, 0x7fffffff)).toBe(true);
    expect(window.available).toBe(0);
  });
});

describe("ReceiveWindow", () => {
  test("announces once half is dealt with", () => {
    const window = new ReceiveWindow(100);
    expect(window.received(49)).toBe(true);
    expect(window.release(49)).toBe(0);
    expect(window.received(1)).toBe(true);
    expect(window.release(1)).toBe(50);
    expect(window.available).toBe(100);
  });

  test("what is not released is not announced", () => {
    const window = new ReceiveWindow(100);
    expect(window.received(100)).toBe(true);
    expect(window.available).toBe(0);
    expect(window.received(0)).toBe(true);
    expect(window.received(1)).toBe(false, "a violation");
    expect(window.release(60)).toBe(60);
    expect(window.received(61)).toBe(false);
    expect(window.received(60)).toBe(true);
    expect(window.release(40)).toBe(0);
    expect(window.release(60)).toBe(100);
  });

  test("widens, and never beyond its size", () => {
    const window = new ReceiveWindow(DEFAULT_WINDOW);
    expect(window.received(1000)).toBe(true);
    expect(window.widen(1 << 20)).toBe((1 << 20) - DEFAULT_WINDOW);
    expect(window.widen(1 << 20)).toBe(0);
    expect(window.widen(1)).toBe(0);
    expect(window.available).toBe((1 << 20) - 1000);
    expect(window.release(1 << 20)).toBe(1000, "more than was received");
    expect(window.available).toBe(1 << 20);
    const empty = new ReceiveWindow(0);
    expect(empty.received(1)).toBe(false);
    expect(empty.release(0)).toBe(0);
    const largest = new ReceiveWindow(0x7fffffff);
    expect(largest.received(0x7fffffff)).toBe(true);
    expect(largest.release(0x7fffffff)).toBe(0x7fffffff);
  });
});
