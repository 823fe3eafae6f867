// `npm run health-bytes -- PROTOCOL`: the bytes of a heartbeat and of its answer, for Envoy's TCP health check.
import { Argument, Command } from "commander";
import { type HealthBytes, HEARTBEATS } from "./lib/health_bytes.ts";

/** The snippet for a cluster of Envoy's configuration. */
function snippet({ send, receive, fields }: HealthBytes): string {
  return [
    "health_checks:",
    "  - timeout: 1s",
    "    interval: 5s",
    "    no_traffic_interval: 5s",
    "    unhealthy_threshold: 2",
    "    healthy_threshold: 1",
    `    # ${fields}`,
    "    tcp_health_check:",
    `      send: { text: "${send}" }`,
    "      receive:",
    `        - { text: "${receive}" }`,
  ].join("\n");
}

new Command("npm run health-bytes --")
  .description(
    "Prints a health check in an RPC protocol's own bytes, to be put into a cluster of Envoy's configuration.",
  )
  .addArgument(new Argument("<protocol>", "protocol of the servers").choices(Object.keys(HEARTBEATS)))
  .option("--hex", "only the two byte strings, one a line: what is sent, what is expected")
  .action((protocol: string, { hex }: { hex?: boolean }) => {
    const bytes = HEARTBEATS[protocol];
    console.log(hex ? `${bytes.send}\n${bytes.receive}` : snippet(bytes));
  })
  .parse();
