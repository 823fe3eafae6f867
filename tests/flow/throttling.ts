// Throttling: requests beyond the rate wait in order and reach the server one by one; the queue is bounded in time.
import type { Scope } from "../e2e/kit/scope.ts";
import type { Chart, Point } from "./chart.ts";
import { nowMs } from "./clock.ts";
import { type Call, burst, steadyLoad } from "./load.ts";
import type { Outcome } from "./outcome.ts";
import { FlowStage, RESOURCE } from "./stage.ts";

export interface ThrottlingOptions {
  workers: number;
  /** How many pass in a second, and how long one may wait, ms. */
  rate: number;
  maxQueueingMs: number;
  /** How long more than the rate is sent, ms. */
  loadMs: number;
}

/** What is sent after the burst, of the rate; and calls of the burst beyond those that may wait. */
const OFFERED = 2;
const BEYOND = 30;
const OTHER = "com.example.Other:1.0";

export async function runThrottling(scope: Scope, options: ThrottlingOptions): Promise<Outcome> {
  const { workers, rate, maxQueueingMs, loadMs } = options;
  const everyMs = 1000 / rate;
  const rule = { resource: RESOURCE.bolt, threshold: rate, controlBehavior: 1, maxQueueingTimeMs: maxQueueingMs };
  const stage = await FlowStage.start(scope, { workers, rules: { rules: [rule] } });
  const { server } = stage;
  const [first, ...others] = await stage.connect(4);
  const size = 1 + Math.floor(maxQueueingMs / everyMs) + BEYOND;
  const start = nowMs();
  const queued = burst([first], size);
  const steady = steadyLoad(others, OFFERED * rate, start, start + loadMs);
  // Of another resource: it is answered while the others wait, on their connection.
  const other = await first.call([], OTHER);
  const waiting = server.calls;
  const calls = [...(await queued), ...(await steady)];
  const mine = server.arrivals.filter(({ turn }) => turn >= 0);
  const limited = server.arrivals.length - 1;
  const wrong = [...tooEarly(server.arrivals, start, everyMs), ...tooFew(calls, limited, options)];
  if (!other.served || waiting > limited / 2) wrong.push("a call of another resource had to wait");
  if (mine.some(({ turn }, i) => i > 0 && turn <= mine[i - 1].turn))
    wrong.push("calls of a connection changed their order");
  const refused = calls.filter((call) => !call.passed).length;
  const passed = calls.length - refused;
  if (passed !== limited) wrong.push(`${limited} calls at the server, but ${passed} answered`);
  if (refused < BEYOND / 2) wrong.push(`only ${refused} were refused`);
  const facts = `${passed} of ${calls.length} passed, one each ${everyMs} ms; ${refused} refused`;
  const gap = longestGap(calls);
  const empty =
    gap > maxQueueingMs / 2 ? `nothing was sent for ${Math.round(gap)} ms: the queue may have run empty` : undefined;
  return {
    facts,
    wrong: empty ? [] : wrong,
    ...(empty && { empty }),
    charts: [chart(options, server.arrivals, start)],
  };
}

/** The longest time without a call, ms. */
function longestGap(calls: Call[]): number {
  const sent = calls.map(({ from }) => from).sort((a, b) => a - b);
  return Math.max(...sent.slice(1).map((at, i) => at - sent[i]));
}

/** The n-th call is due n intervals after the first, and that entered after `start`; one more is of the other resource. */
function tooEarly(arrivals: { ms: number }[], start: number, everyMs: number): string[] {
  const early = arrivals.filter(({ ms }, i) => ms < start + (i - 1) * everyMs);
  return early.length > 0 ? [`${early.length} calls came too early`] : [];
}

/** A call is refused only where the queue is as long as it may be: so many are ahead of it. */
function tooFew(calls: Call[], passed: number, { rate, maxQueueingMs }: ThrottlingOptions): string[] {
  const first = Math.min(...calls.filter((call) => call.passed).map(({ to }) => to));
  const last = Math.max(...calls.filter((call) => !call.passed).map(({ from }) => from));
  const least = Math.floor(((last - first + maxQueueingMs) * rate) / 1000);
  return passed < least ? [`only ${passed} passed; when the last was refused there must have been ${least}`] : [];
}

function chart({ rate, maxQueueingMs, loadMs }: ThrottlingOptions, arrivals: { ms: number }[], start: number): Chart {
  const points = arrivals.map(({ ms }, i): Point => [Math.round((ms - start) * 10) / 10, i + 1]);
  const end = loadMs + maxQueueingMs;
  const offered = 1 + (maxQueueingMs * rate) / 1000 + BEYOND;
  return {
    name: "throttling",
    title: `Throttling: ${rate} a second, maxQueueingTimeMs ${maxQueueingMs}; a burst, then ${OFFERED * rate} a second`,
    x: "ms",
    y: "calls in all",
    series: [
      {
        name: "Sentinel's formula",
        kind: "line",
        points: [
          [0, 1],
          [end, 1 + (end * rate) / 1000],
        ],
      },
      { name: "at the server, measured", kind: "dots", points },
      {
        name: "sent by clients",
        kind: "dashes",
        points: [
          [0, 0],
          [0, offered],
          [loadMs, offered + (OFFERED * rate * loadMs) / 1000],
        ],
      },
    ],
  };
}
