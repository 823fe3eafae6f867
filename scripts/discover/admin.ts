// `--admin HOST:PORT`: health and metrics.
import { createServer, type Server } from "node:http";
import type { Keeper } from "./keeper.ts";
import type { Loop } from "./loop.ts";
import { BadInput } from "./model.ts";

const REQUEST_LIMIT_MS = 5000;
const MAX_CONNECTIONS = 64;

/** Metrics in Prometheus' text format. */
export function metrics(keeper: Keeper, loop: Loop, now: number): string {
  const services = [...keeper.services()];
  const lines: string[] = [];
  const add = (name: string, type: string, help: string, samples: [string, number][]) => {
    lines.push(`# HELP moe_discover_${name} ${help}`, `# TYPE moe_discover_${name} ${type}`);
    for (const [label, value] of samples) lines.push(`moe_discover_${name}${label} ${value}`);
  };
  const one = (value: number): [string, number][] => [["", value]];
  const hosts = services.reduce((sum, service) => sum + service.endpoints.length, 0);
  const held = services.reduce((sum, service) => sum + service.held, 0);
  add("services", "gauge", "Services with hosts.", one(services.length));
  add("hosts", "gauge", "Registrations of hosts, those that are held back among them.", one(hosts));
  add("held_services", "gauge", "Services whose drop is held back.", one(keeper.heldServices));
  add("held_hosts", "gauge", "Hosts that the registry has no more.", one(held));
  add("holds_total", "counter", "Drops that were held back.", one(keeper.holds));
  add("changes_total", "counter", "Changes of services that sources told.", one(keeper.offers));
  add("warnings", "gauge", "Things that are left out.", one(keeper.warnings.size));
  add("writes_total", "counter", "Writes of all targets.", one(loop.figures.writes));
  add("files_total", "counter", "Files that were replaced.", one(loop.figures.files));
  add("write_failures_total", "counter", "Writes that failed.", one(loop.figures.failures));
  add("write_seconds", "gauge", "How long the last write took.", one(loop.figures.lastWriteMs / 1000));
  const sources = [...keeper.sources].map(([name, state]) => ({ label: `{source=${JSON.stringify(name)}}`, state }));
  add(
    "source_up",
    "gauge",
    "Whether the source is connected.",
    sources.map(({ label, state }) => [label, +state.up]),
  );
  add(
    "source_synced",
    "gauge",
    "Whether the source has told all it has.",
    sources.map(({ label, state }) => [label, +state.synced]),
  );
  add(
    "source_state_seconds",
    "gauge",
    "For how long it is so.",
    sources.map(({ label, state }) => [label, (now - state.since) / 1000]),
  );
  add("memory_bytes", "gauge", "Memory of this process.", one(process.memoryUsage.rss()));
  return `${lines.join("\n")}\n`;
}

/** Why the process is not healthy; undefined: it is. A registry that is down is told in the metrics: hosts are still served. */
function sickness(loop: Loop): string | undefined {
  return loop.failed === "" ? undefined : `cannot write: ${loop.failed}`;
}

/** Listens; returns the port and what ends it. Throws BadInput where it cannot. */
export async function serveAdmin(
  host: string,
  port: number,
  keeper: Keeper,
  loop: Loop,
): Promise<{ port: number; close: () => Promise<void> }> {
  const server: Server = createServer({ requestTimeout: REQUEST_LIMIT_MS, headersTimeout: REQUEST_LIMIT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (request, response) => {
    const path = (request.url ?? "").split("?")[0];
    const answer = (status: number, text: string) =>
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, "GET only\n");
    const sick = sickness(loop);
    if (path === "/healthz") return sick === undefined ? answer(200, "ok\n") : answer(503, `${sick}\n`);
    if (path === "/readyz") {
      return loop.figures.writes > 0 ? answer(200, "ok\n") : answer(503, "nothing is written yet\n");
    }
    if (path === "/metrics") return answer(200, metrics(keeper, loop, Date.now()));
    if (path === "/warnings") {
      return answer(200, [...keeper.warnings].map(([key, text]) => `${key}: ${text}\n`).join(""));
    }
    return answer(404, "allowed: /healthz, /readyz, /metrics, /warnings\n");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new BadInput(`--admin: ${error.message}`)));
    server.listen(port, host, resolve);
  });
  const address = server.address() as { port: number };
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
