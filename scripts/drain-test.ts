// `npm run drain-test -- [--calls N] [SCENARIOS…]`: clients that call while an Envoy is drained (docs/reliability.md, "Drain").
import { Argument, Command, InvalidArgumentError } from "commander";
import { SCENARIOS } from "../tests/drain/scenarios.ts";
import { Scope } from "./lib/scope.ts";
import { table } from "./lib/table.ts";

function whole(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("expected a number");
  return Number(text);
}

const command = new Command("npm run drain-test --")
  .description("Clients call while an Envoy is drained or gets another configuration; says how their calls ended.")
  .addArgument(new Argument("[scenarios...]", "default: all").choices(Object.keys(SCENARIOS)))
  .option("--calls <number>", "calls in each, at least", whole, 100_000)
  .option("--busy <number>", "clients that call without a pause", whole, 16)
  .option("--depth <number>", "calls that each of them has under way", whole, 4)
  .option("--calm <number>", "clients that call about once a second", whole, 16)
  .parse();
const options = command.opts<{ calls: number; busy: number; depth: number; calm: number }>();
const names = command.args.length > 0 ? command.args : Object.keys(SCENARIOS);
const say = (line: string) => console.log(`  ${line}`);
const rows: string[][] = [];
for (const name of names) {
  const { what, play } = SCENARIOS[name];
  console.log(`${name}: ${what}`);
  const scope = new Scope();
  try {
    const result = await play(scope, { ...options, say });
    const { answered, refused, cut, connections, goAways, repeated, lost } = result;
    rows.push([name, ...[answered + refused + cut, refused, cut, lost, repeated, connections, goAways].map(String)]);
  } finally {
    for (const error of await scope.end()) {
      console.error(error);
      process.exitCode = 1;
    }
  }
}
const head = ["scenario", "calls", "refused", "cut", "cut, but executed", "executed twice", "connections", "go-aways"];
for (const line of table(head, rows)) console.log(line);
