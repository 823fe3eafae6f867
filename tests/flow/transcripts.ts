// Each kind of rule with its configuration, and what a client sees of it in a real run: for docs/flow-control.md.
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import type { Scope } from "../e2e/kit/scope.ts";
import type { Headers } from "../host/kit/bolt.ts";
import { nextMultiple, nowMs, SECOND_MS, untilMs } from "./clock.ts";
import { settled } from "./outcome.ts";
import { type Answer, FlowStage, type Protocol, PROTOCOLS, RESOURCE } from "./stage.ts";

const HELLO = RESOURCE.bolt;
const OTHER = "com.example.Other:1.0";

interface Play {
  /** A line about the rule. */
  title: string;
  protocol?: Protocol;
  rules: object;
  /** A line of Envoy's access log. */
  accessLog?: string;
  act(teller: Teller): Promise<void>;
}

/** By which lines of the log are found. */
const LOGGED = "access log: ";

/** Makes calls and writes down what comes back. */
class Teller {
  readonly lines: string[] = [];
  private calls = 0;

  constructor(
    readonly stage: FlowStage,
    private readonly call: (headers?: Headers, service?: string) => Promise<Answer>,
  ) {}

  say(line: string): void {
    this.lines.push(`# ${line}`);
  }

  /** Calls one after the other. */
  async each(count: number, headers?: Headers, service?: string): Promise<void> {
    for (let i = 0; i < count; i++) this.tell(++this.calls, await this.call(headers, service));
  }

  /** Calls at the same time; with `times`, told when each was answered, in hundredths of a second. */
  async together(count: number, times = false): Promise<void> {
    const start = nowMs();
    const answers = Array.from({ length: count }, async () => {
      const number = ++this.calls;
      const answer = await this.call();
      this.tell(number, answer, times ? ` after ${((nowMs() - start) / 1000).toFixed(2)} s` : "");
    });
    await Promise.all(answers);
  }

  /** The next second, with all of it to go: windows are aligned to the clock. */
  async second(): Promise<void> {
    const at = nextMultiple(SECOND_MS, 1);
    await untilMs(at + SECOND_MS);
  }

  private tell(number: number, { served, status, text }: Answer, when = ""): void {
    this.lines.push(`call ${number}: ${served ? "served" : "refused"}${when}, status ${status}: ${text}`);
  }
}

const flow = (rule: object) => ({ rules: [{ resource: HELLO, ...rule }] });

/** The same rule for all protocols: what their clients are told. */
const ANSWERS: Play[] = PROTOCOLS.map((protocol) => ({
  title: `What a client of ${{ bolt: "Bolt", dubbo: "Dubbo", http: "HTTP" }[protocol]} is told`,
  protocol,
  rules: { rules: [{ resource: RESOURCE[protocol], threshold: 1 }] },
  act: (teller) => teller.each(2),
}));

const PLAYS: Play[] = [
  {
    title: "Flow rule, direct: so many a second",
    rules: flow({ threshold: 2 }),
    async act(teller) {
      await teller.each(3);
      await teller.second();
      teller.say("a second later");
      await teller.each(1);
    },
  },
  {
    title: "Flow rule with throttling: those beyond wait their turn, at most 300 ms",
    rules: flow({ threshold: 10, controlBehavior: 1, maxQueueingTimeMs: 300 }),
    act: (teller) => teller.together(6, true),
  },
  {
    title: "Flow rule with warm-up: a cold resource begins with a third",
    rules: flow({ threshold: 6, tokenCalculateStrategy: 1, warmUpPeriodSec: 10, warmUpColdFactor: 3 }),
    act: (teller) => teller.each(3),
  },
  {
    title: "Flow rule by the memory of the VM: three a second, and one when it is above 2 KiB",
    rules: flow({
      tokenCalculateStrategy: 2,
      lowMemUsageThreshold: 3,
      highMemUsageThreshold: 1,
      memLowWaterMarkBytes: 1024,
      memHighWaterMarkBytes: 2048,
    }),
    act: (teller) => teller.each(2),
  },
  {
    title: "Flow rule by another resource: this one is refused while that one has so many",
    rules: flow({ threshold: 2, relationStrategy: 1, refResource: OTHER }),
    async act(teller) {
      teller.say(`two calls of ${OTHER}`);
      await teller.each(2, [], OTHER);
      teller.say(`one of ${HELLO}`);
      await teller.each(1);
    },
  },
  {
    title: "Isolation: so many at the same time",
    rules: { isolation_rules: [{ resource: HELLO, threshold: 2 }] },
    async act(teller) {
      teller.say("three at the same time; the server takes 0.2 s");
      teller.stage.server.hold = () => sleep(200);
      await teller.together(3);
      teller.say("and another");
      await teller.each(1);
    },
  },
  {
    title: "Circuit breaker by errors, with a probe after a second",
    rules: {
      circuit_breaker_rules: [
        {
          resource: HELLO,
          strategy: 2,
          threshold: 2,
          minRequestAmount: 2,
          statIntervalMs: 10_000,
          retryTimeoutMs: 1000,
        },
      ],
    },
    async act(teller) {
      teller.say("the server fails");
      teller.stage.server.fails = true;
      await teller.each(3);
      teller.say("it works again, a second later");
      teller.stage.server.fails = false;
      await sleep(SECOND_MS);
      await teller.each(2);
    },
  },
  {
    title: "Circuit breaker by slow requests: half of at least two took more than 50 ms",
    rules: {
      circuit_breaker_rules: [
        {
          resource: HELLO,
          strategy: 0,
          maxAllowedRtMs: 50,
          threshold: 0.5,
          minRequestAmount: 2,
          statIntervalMs: 10_000,
          retryTimeoutMs: 1000,
        },
      ],
    },
    async act(teller) {
      teller.say("the server takes 0.1 s");
      teller.stage.server.hold = () => sleep(100);
      await teller.each(3);
    },
  },
  {
    title: "Hot parameter: each tenant once in ten seconds, one of them twice",
    rules: {
      hot_param_rules: [
        {
          resource: HELLO,
          paramKey: "tenant",
          metricType: 1,
          threshold: 1,
          durationInSec: 10,
          specificItems: { gold: 2 },
        },
      ],
    },
    async act(teller) {
      for (const tenant of ["blue", "gold"]) {
        teller.say(`tenant ${tenant}`);
        await teller.each(tenant === "gold" ? 3 : 2, [["tenant", tenant]]);
      }
    },
  },
  {
    title: "System rule: requests a second of all resources",
    rules: { system_rules: [{ metricType: 3, triggerCount: 2 }] },
    async act(teller) {
      await teller.each(2);
      await teller.each(1, [], OTHER);
    },
  },
  {
    title: "System rule: the average response time of all resources, at most 50 ms",
    rules: { system_rules: [{ metricType: 1, triggerCount: 50 }] },
    async act(teller) {
      teller.say("the server takes 0.1 s");
      teller.stage.server.hold = () => sleep(100);
      await teller.each(2);
    },
  },
  {
    title: "Report only: nothing is refused, the counters say what would have been",
    rules: { report_only: true, ...flow({ threshold: 1 }) },
    async act(teller) {
      await teller.each(2);
      for (let reported = 0; reported === 0; await sleep(50)) {
        reported = await teller.stage.envoy.stat("wasmcustom.moe.filter.flowControlFilter.reported");
      }
      teller.say("the counter `reported`: 1");
    },
  },
  ...ANSWERS,
  {
    title: "What operators see, on RPC",
    rules: flow({ threshold: 1 }),
    accessLog: `${LOGGED}%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %FILTER_STATE(envoy.string:PLAIN)%`,
    act: watched,
  },
  {
    title: "What operators see, on HTTP",
    protocol: "http",
    rules: { rules: [{ resource: RESOURCE.http, threshold: 1 }] },
    accessLog: `${LOGGED}%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %REQ(:PATH)%`,
    act: watched,
  },
];

/** One call that passes and two that do not, and what `/stats` says of them. */
async function watched(teller: Teller): Promise<void> {
  await teller.each(3);
  const { stage } = teller;
  await settled(stage, "blocked_flow", 2);
  teller.say("/stats?filter=flowControlFilter&usedonly");
  const stats = await stage.envoy.admin("/stats?filter=flowControlFilter&usedonly");
  teller.lines.push(...stats.trim().split("\n"));
}

/** All of them in Markdown. */
export async function transcripts(start: () => { scope: Scope; end: () => Promise<unknown> }): Promise<string> {
  const parts: string[] = [];
  for (const { title, protocol = "bolt", rules, accessLog, act } of PLAYS) {
    const { scope, end } = start();
    const stage = await FlowStage.start(scope, { protocol, workers: 2, rules, accessLog });
    const [caller] = await stage.connect(1);
    const teller = new Teller(stage, (headers, service) => caller.call(headers, service));
    await teller.second();
    await act(teller);
    await end();
    teller.lines.push(...stage.envoy.log.filter((line) => line.startsWith(LOGGED)));
    const yaml = stringify(rules, { flowCollectionPadding: true, lineWidth: 0 });
    parts.push(`### ${title}\n\n\`\`\`yaml\n${yaml}\`\`\`\n\n\`\`\`\n${teller.lines.join("\n")}\n\`\`\`\n`);
  }
  return parts.join("\n");
}
