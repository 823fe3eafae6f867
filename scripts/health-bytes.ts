// `moe health-bytes PROTOCOL`, `npm run health-bytes`: the bytes of a heartbeat and of its answer, for Envoy's TCP health check.
import { Command, InvalidArgumentError } from "commander";
import { runScript } from "./lib/command.ts";
import { type HealthBytes, HEARTBEATS, WITHOUT_HEARTBEAT } from "./lib/health_bytes.ts";

/** The snippet for a cluster of Envoy's configuration. */
function snippet({ send, receive, fields }: HealthBytes): string {
  return [
    "health_checks:",
    "  - timeout: 1s",
    "    interval: 5s",
    "    unhealthy_interval: 1s",
    "    no_traffic_interval: 1s",
    "    no_traffic_healthy_interval: 5s",
    "    unhealthy_threshold: 2",
    "    healthy_threshold: 1",
    `    # ${fields}`,
    "    tcp_health_check:",
    `      send: { text: "${send}" }`,
    "      receive:",
    `        - { text: "${receive}" }`,
  ].join("\n");
}

/** The protocol whose heartbeat is wanted. Throws for those that have none. */
function parseProtocol(name: string): HealthBytes {
  const bytes = HEARTBEATS[name];
  if (bytes) return bytes;
  const known = `Heartbeats: ${Object.keys(HEARTBEATS).join(", ")}.`;
  if (!WITHOUT_HEARTBEAT.includes(name)) throw new InvalidArgumentError(known);
  throw new InvalidArgumentError(
    `${name} has no heartbeat. Use \`tcp_health_check: {}\`, which checks that the port takes connections. ${known}`,
  );
}

export function healthBytesCommand(name: string): Command {
  return new Command(name)
    .description(
      "Prints a health check in an RPC protocol's own bytes, to be put into a cluster of Envoy's configuration.",
    )
    .argument("<protocol>", `protocol of the servers: ${Object.keys(HEARTBEATS).join(", ")}`, parseProtocol)
    .option("--hex", "only the two byte strings, one a line: what is sent, what is expected")
    .addHelpText("after", `\nExamples:\n  ${name} bolt\n  ${name} dubbo --hex`)
    .action((bytes: HealthBytes, { hex }: { hex?: boolean }) => {
      console.log(hex ? `${bytes.send}\n${bytes.receive}` : snippet(bytes));
    });
}

await runScript(import.meta, healthBytesCommand, "npm run health-bytes --");
