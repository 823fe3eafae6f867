// What the module itself has counted.
import type { EnvoyProcess } from "../../scripts/lib/envoy_process.ts";
import type { Verdict } from "./compare.ts";

/** The module must have taken the calls one by one and understood every frame. */
export async function counters(name: string, envoys: EnvoyProcess[]): Promise<Verdict> {
  const totals = new Map<string, number>();
  for (const envoy of envoys) {
    for (const [counter, value] of await envoy.stats("moe\\.\\w+\\.(requests|heartbeats|decode_errors)$")) {
      const short = counter.replace(/^.*moe\./, "");
      totals.set(short, (totals.get(short) ?? 0) + value);
    }
  }
  const sum = (what: string) => [...totals].reduce((all, [each, value]) => all + (each.endsWith(what) ? value : 0), 0);
  const ok = sum(".requests") > 0 && sum(".decode_errors") === 0;
  return { name, ok, text: [...totals].map((pair) => pair.join(" ")).join(", "), details: [] };
}
