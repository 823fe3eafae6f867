// Rules that change while Envoy runs, from a file that it watches: no restart, no lost count, and a mistake changes nothing.
import { setTimeout as sleep } from "node:timers/promises";
import { pluginConfig } from "../../scripts/lib/bootstrap.ts";
import { ecds, FileSource, lds } from "../drain/files.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { WAIT_MS, waitUntil } from "../e2e/kit/wait.ts";
import { LongWindow } from "./clock.ts";
import type { Outcome } from "./outcome.ts";
import { type Caller, FlowStage, moduleConfig, RESOURCE } from "./stage.ts";

/** By which of Envoy's services: listeners, or the configuration of an extension. */
export const SOURCES = ["lds", "ecds"] as const;
export type SourceKind = (typeof SOURCES)[number];

export interface HotUpdateOptions {
  workers: number;
  source: SourceKind;
  /**
   * Whether there is time for what workers only notice ten seconds later: rules that come back word for word. Not with
   * LDS: there Envoy drains older connections, and closes one or the other meanwhile.
   */
  back: boolean;
}

const FIRST = 500;
const SECOND = 700;
const OTHER = "com.example.Other:1.0";
/** Of the other resource, with live_rules: so many, and in an emergency none, because more have passed already. */
const MANY = 1000;
const NONE = 3;
/** The counters that grow with each update, and with each that is refused. */
const TAKEN: Record<SourceKind, string> = {
  lds: "listener_manager\\.lds\\.update_success$",
  ecds: "extension_config_discovery\\.network_filter\\.moe\\.config_reload$",
};
const REFUSED: Record<SourceKind, string> = {
  lds: "listener_manager\\.lds\\.update_rejected$",
  ecds: "extension_config_discovery\\.network_filter\\.moe\\.config_fail$",
};
/** Between two tries whether workers have noticed. */
const POLL_MS = 500;
/** What Envoy and the module say of the mistake. */
const MISTAKE = "stream_filters[0].config.rules[0].threshold";
const LOG = [/configuration refused: /, /Failed to configure base Wasm plugin/, /[Pp]lugin .*failed to load/];

/** With LDS Envoy drains older connections, and closes more of them the longer it does: not so soon. */
const DRAIN = ["--drain-time-s", "36000"];

export async function runHotUpdate(scope: Scope, { workers, source: kind, back }: HotUpdateOptions): Promise<Outcome> {
  const window = new LongWindow();
  const statIntervalInMs = window.lengthMs;
  const rule = (threshold: number) => ({ resource: RESOURCE.bolt, threshold, statIntervalInMs });
  const other = { resource: OTHER, threshold: 3, statIntervalInMs };
  const live = (threshold: number) => ({ live_rules: true, rules: [rule(SECOND), { ...other, threshold }] });
  let rules: object = { rules: [rule(FIRST)] };
  const source = new FileSource(scope);
  const vary = (listener: Parameters<typeof pluginConfig>[0]) => {
    const value = moduleConfig(rules);
    pluginConfig(listener).configuration = { "@type": "type.googleapis.com/google.protobuf.Struct", value };
  };
  const change = kind === "lds" ? await lds(source, vary) : ecds(source, vary);
  const stage = await FlowStage.start(scope, { workers, rules, change, allowLog: LOG, args: DRAIN });
  const { envoy } = stage;
  const grown = async (name: string, from: number): Promise<void> =>
    waitUntil(
      async () => (await sum(stage, name)) > from,
      WAIT_MS,
      () => `no update by ${kind}: ${envoy.complaints().join("\n")}`,
    );
  const update = async (next: object, stat: string): Promise<void> => {
    rules = next;
    const before = await sum(stage, stat);
    source.update();
    await grown(stat, before);
  };

  const found = new Counts();
  const old = await stage.connect(4 * workers);
  found.expect("before", await passing(old, FIRST - 100), FIRST - 100);
  // Calls go on over the old connections while the rules change: none is lost, and what is left is left once.
  const meanwhile = passing(old, 60);
  await update({ rules: [rule(FIRST), other] }, TAKEN[kind]);
  found.expect("meanwhile", await meanwhile, 60);
  const fresh = await stage.connect(4 * workers);
  found.expect("with another rule beside", await passing(fresh, 100), 40);
  found.expect("of the other rule", await passing(fresh, 10, OTHER), 3);
  await update({ rules: [rule(SECOND), other] }, TAKEN[kind]);
  const last = await stage.connect(4 * workers);
  found.expect("with a higher limit", await passing(last, 400), SECOND - FIRST);
  await update({ rules: [rule(-1)] }, REFUSED[kind]);
  const after = await stage.connect(4 * workers);
  found.expect("after a mistake", (await passing(after, 20)) + (await passing(after, 20, OTHER)), 0);
  if (!envoy.log.some((line) => line.includes(MISTAKE))) found.wrong.push(`the log does not name ${MISTAKE}`);
  await update(live(MANY), TAKEN[kind]);
  const open = await stage.connect(4 * workers);
  found.expect("with live_rules", await passing(open, 20, OTHER), 20);
  await update(live(NONE), TAKEN[kind]);
  await served(open, false);
  found.expect("over the same connections in an emergency", await passing(open, 20, OTHER), 0);
  if (back) {
    const meantime = await stage.connect(4 * workers);
    // Their calls show that Envoy has them: one that it accepts later goes by what comes next.
    found.expect("over new ones", await passing(meantime, 4 * workers, OTHER), 0);
    await update(live(MANY), TAKEN[kind]);
    await served([...open, ...meantime], true, async () => {
      await sleep(POLL_MS);
      await stage.connect(4 * workers);
    });
    found.expect("over both when it is over", await passing([...open, ...meantime], 40, OTHER), 40);
  }
  const { facts, wrong } = found;
  const text = `passed ${facts.join(", ")}`;
  return window.over ? { facts: text, wrong: [], empty: "the window ended meanwhile" } : { facts: text, wrong };
}

class Counts {
  readonly facts: string[] = [];
  readonly wrong: string[] = [];

  expect(when: string, got: number, want: number): void {
    this.facts.push(`${got} ${when}`);
    if (got !== want) this.wrong.push(`${got} passed ${when}, not ${want}`);
  }
}

async function sum(stage: FlowStage, stat: string): Promise<number> {
  return [...(await stage.envoy.stats(stat)).values()].reduce((all, value) => all + value, 0);
}

/** Waits until each of the callers is served, or none: workers take a configuration one after the other. */
async function served(callers: Caller[], wanted: boolean, before?: () => Promise<unknown>): Promise<void> {
  await waitUntil(
    async () => {
      await before?.();
      const answers = await Promise.all(callers.map((one) => one.call([], OTHER)));
      return answers.every(({ served: got }) => got === wanted);
    },
    WAIT_MS,
    () => `open connections do not go by the new rules: ${wanted ? "served" : "refused"} is not all of them`,
  );
}

/** How many of so many calls pass; each is answered. */
async function passing(callers: Caller[], count: number, service?: string): Promise<number> {
  const calls = Array.from({ length: count }, (_, i) => callers[i % callers.length].call([], service));
  return (await Promise.all(calls)).filter(({ served }) => served).length;
}
