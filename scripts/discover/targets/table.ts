// `--table`: the services on the terminal.
import { table } from "../../lib/table.ts";
import type { Service } from "../keeper.ts";
import { addressOf, type Endpoint } from "../model.ts";
import type { Changes, Target } from "./target.ts";

const HEADER = ["service", "host", "protocol", "weight", "version", "group", "tag", "zone", "state"];

function stateOf(one: Endpoint, index: number, service: Service): string {
  if (index >= service.endpoints.length - service.held) return "held";
  return one.enabled ? "" : "disabled";
}

/** A line a host. */
export function serviceTable(services: Iterable<Service>): string[] {
  const sorted = [...services].sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = sorted.flatMap((service) =>
    service.endpoints.map((one, i) => [
      service.name,
      addressOf(one),
      one.protocol,
      String(one.weight),
      one.version,
      one.group,
      one.tag,
      one.zone,
      stateOf(one, i, service),
    ]),
  );
  // Columns that say nothing are left out.
  const used = HEADER.map((_, i) => i < 4 || rows.some((row) => row[i] !== ""));
  const pick = (cells: string[]) => cells.filter((_, i) => used[i]);
  return table(pick(HEADER), rows.map(pick));
}

export class Table implements Target {
  readonly name = "table";

  constructor(private readonly print: (text: string) => void) {}

  async write(changes: Changes): Promise<number> {
    this.print(`${serviceTable(changes.services()).join("\n")}\n`);
    return 0;
  }
}
