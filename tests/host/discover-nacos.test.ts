// `discover` and Nacos' open API, as it is documented: a server of the test answers.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { openSource } from "../../scripts/discover/sources/sources.ts";

describe("Nacos' open API", () => {
  it("services and hosts are followed; a server that fails takes nothing away", async (t) => {
    let hosts: object[] = [
      { ip: "10.0.0.1", port: 20880, weight: 0.5, healthy: true, enabled: true, metadata: { protocol: "dubbo" } },
    ];
    let down = false;
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      if (down) return response.writeHead(500).end("down");
      const answer = request.url?.includes("/auth/login")
        ? { accessToken: "t", tokenTtl: 100 }
        : request.url?.includes("/service/list")
          ? { count: 2, doms: ["providers:a.B:1.0.0:", "other"] }
          : { hosts };
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    t.after(() => server.close());
    process.env.MOE_TEST_NACOS = "nacos:secret";
    const { port } = server.address() as AddressInfo;
    const source = openSource(`nacos://127.0.0.1:${port}?interval_ms=200&namespace=n&auth_env=MOE_TEST_NACOS`, ".");
    t.after(() => source.close());
    const heard: string[] = [];
    let wake = () => {};
    const hear = (text: string) => {
      heard.push(text);
      wake();
    };
    const until = async (text: string) => {
      while (!heard.includes(text)) await new Promise<void>((done) => (wake = done));
    };
    await source.start({
      offer: ({ service, endpoints }) =>
        hear(`${service} ${endpoints.map((one) => `${one.host} ${one.weight} ${one.version}`).join()}`),
      synced: () => hear("synced"),
      connected: (up) => hear(up ? "up" : "down"),
      warn: (key, text) => hear(`${key}: ${text}`),
      unwarn: () => {},
    });
    await until("synced");
    assert.deepEqual(heard, ["up", "a.B 10.0.0.1 50 1.0.0", "synced"]);
    assert.ok(asked.some((url) => url.includes("namespaceId=n") && url.includes("accessToken=t")));
    hosts = [
      { ip: "10.0.0.2", port: 20880, weight: 1, metadata: {} },
      { ip: "x", port: 1, weight: 1 },
    ];
    await until("a.B 10.0.0.2 100 1.0.0");
    down = true;
    await until("down");
    down = false;
    heard.length = 0;
    await until("synced");
    assert.deepEqual(heard.slice(-3), ["up", "a.B 10.0.0.2 100 1.0.0", "synced"]);
  });
});
