// Rules that change while Envoy runs, from a file that it watches: no restart, no lost count, and a mistake changes nothing.
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
}

const FIRST = 500;
const SECOND = 700;
const OTHER = "com.example.Other:1.0";
/** The counters that grow with each update, and with each that is refused. */
const TAKEN: Record<SourceKind, string> = {
  lds: "listener_manager\\.lds\\.update_success$",
  ecds: "extension_config_discovery\\.network_filter\\.moe\\.config_reload$",
};
const REFUSED: Record<SourceKind, string> = {
  lds: "listener_manager\\.lds\\.update_rejected$",
  ecds: "extension_config_discovery\\.network_filter\\.moe\\.config_fail$",
};
/** What Envoy and the module say of the mistake. */
const MISTAKE = "stream_filters[0].config.rules[0].threshold";
const LOG = [/configuration refused: /, /Failed to configure base Wasm plugin/, /[Pp]lugin .*failed to load/];

export async function runHotUpdate(scope: Scope, { workers, source: kind }: HotUpdateOptions): Promise<Outcome> {
  const window = new LongWindow();
  const statIntervalInMs = window.lengthMs;
  const rule = (threshold: number) => ({ resource: RESOURCE.bolt, threshold, statIntervalInMs });
  const other = { resource: OTHER, threshold: 3, statIntervalInMs };
  let rules: object = { rules: [rule(FIRST)] };
  const source = new FileSource(scope);
  const vary = (listener: Parameters<typeof pluginConfig>[0]) => {
    const value = moduleConfig(rules);
    pluginConfig(listener).configuration = { "@type": "type.googleapis.com/google.protobuf.Struct", value };
  };
  const change = kind === "lds" ? await lds(source, vary) : ecds(source, vary);
  const stage = await FlowStage.start(scope, { workers, rules, change, allowLog: LOG });
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

/** How many of so many calls pass; each is answered. */
async function passing(callers: Caller[], count: number, service?: string): Promise<number> {
  const calls = Array.from({ length: count }, (_, i) => callers[i % callers.length].call([], service));
  return (await Promise.all(calls)).filter(({ served }) => served).length;
}
