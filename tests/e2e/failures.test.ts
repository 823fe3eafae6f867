// Servers that cannot be reached, that die, that close and that speak first: every call is answered, none is executed
// twice. The servers' records tell.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type BoltFrame, BoltStatus, heartbeat, request, response } from "../host/kit/bolt.ts";
import { makeCalls, meet, reasonOf, servedBy, tally } from "./kit/calls.ts";
import type { RawBoltClient } from "./kit/client.ts";
import { CONCURRENCIES } from "./kit/envoy.ts";
import { fillBacklog } from "./kit/full_backlog.ts";
import { type Scope, suiteScope } from "./kit/scope.ts";
import type { RawBoltServer, ServerConnection } from "./kit/server.ts";
import { ServerProcess } from "./kit/server_process.ts";
import { callOf, Stage } from "./kit/stage.ts";
import { WAIT_MS, waitUntil } from "./kit/wait.ts";

const COMMAND_GOAWAY = 100;
const LOST = /^the server closed the connection$|^the connection to the server was reset$/;

/** Calls that the servers can tell apart: the content is the number. */
const numbered = (name: string) => (i: number) => ({ ...callOf(name), content: String(i) });

const contents = (server: RawBoltServer): string[] => server.arrivals.map(({ frame }) => frame.content.toString());

/** None of these calls was executed more than once. */
function assertOnce(executed: string[]): void {
  assert.equal(new Set(executed).size, executed.length, "a call was executed twice");
}

/** Sends calls without waiting until the victim has read 20 and the neighbour has answered all others. */
async function loadVictim(client: RawBoltClient, name: string, read: () => number | Promise<number>): Promise<number> {
  let sent = 0;
  const enough = async (): Promise<boolean> => {
    if ((await read()) < 20) {
      const calls = Array.from({ length: 10 }, () => request(sent, numbered(name)(sent++)));
      await client.write(Buffer.concat(calls));
    }
    return (await read()) >= 20 && (await read()) + client.frames.length === sent;
  };
  await waitUntil(enough, WAIT_MS, () => `${client.frames.length} of ${sent} calls answered`);
  return sent;
}

/** The calls that the victim had read got an error, all others were served; each was executed once. */
async function assertLost(client: RawBoltClient, sent: number, victim: string[], neighbour: RawBoltServer) {
  await client.waitForFrames(sent);
  const lost = new Set(victim);
  for (let id = 0; id < sent; id++) {
    const [answer, ...more] = client.answers(id);
    assert.equal(more.length, 0, `call ${id} was answered twice`);
    assert.equal(servedBy(answer), lost.has(String(id)) ? undefined : neighbour.name);
    if (lost.has(String(id))) assertFailed(answer, LOST);
  }
  assertOnce([...victim, ...contents(neighbour)]);
  assert.equal(victim.length + neighbour.requests, sent);
}

function assertFailed(answer: BoltFrame, reason: RegExp): void {
  assert.notEqual(answer.status, BoltStatus.SUCCESS);
  assert.match(reasonOf(answer), reason);
}

for (const concurrency of CONCURRENCIES) {
  describe(`failures, --concurrency ${concurrency}`, () => {
    const scope = suiteScope();
    let stage: Stage;
    let stalled: ServerProcess;
    let killed: ServerProcess;

    before(async () => {
      stalled = await ServerProcess.start({ name: "stalled", backlog: 1 });
      killed = await ServerProcess.start({ name: "killed", mute: true });
      scope.after(() => Promise.all([stalled.kill(), killed.kill()]));
      stage = await Stage.start(scope, {
        concurrency,
        clusters: {
          refused: { servers: ["refused", "accepted"] },
          stalled: {
            ports: [stalled.port],
            servers: ["prompt"],
            fields: { connect_timeout: "0.3s" },
            module: { connect_timeout_ms: 300 },
          },
          rst: { servers: ["rst", "rst-neighbour"] },
          fin: { servers: ["fin", "fin-neighbour"] },
          kill: { ports: [killed.port], servers: ["kill-neighbour"] },
          storm: { servers: ["storm1", "storm2"] },
          half: {},
          down: { servers: ["down1", "down2"] },
          goaway: {},
          push: { servers: ["push1", "push2"] },
        },
      });
    });

    /** Several clients whose workers know both servers; each worker is met by at least one of them. */
    async function acquainted(t: Scope, name: string, servers: string[]): Promise<RawBoltClient[]> {
      const clients = await stage.connect(t, 4 * concurrency);
      for (const client of clients) await meet(client, servers, callOf(name));
      return clients;
    }

    it("refused connections: the other host gets the calls, each once", async (t) => {
      const clients = await acquainted(t, "refused", ["refused", "accepted"]);
      const [refused, accepted] = ["refused", "accepted"].map((name) => stage.server(name));
      const retries = await stage.bolt("retries");
      refused.refuse();
      refused.resetAll();
      for (const server of [refused, accepted]) server.arrivals.length = 0;
      for (const [i, client] of clients.entries()) {
        const answers = await makeCalls(client, 50, (n) => numbered("refused")(50 * i + n), { window: 1 });
        assert.deepEqual(tally(answers), { accepted: 50 });
      }
      const tries = await stage.envoy.stat("cluster.refused.upstream_cx_connect_fail");
      assert.ok(tries > 0 && tries < 10 * clients.length, `${tries} connects: the host is not left out for a while`);
      assert.equal(refused.arrivals.length, 0);
      assertOnce(contents(accepted));
      assert.equal(accepted.arrivals.length, 50 * clients.length);
      await waitUntil(
        async () => (await stage.bolt("retries")) > retries,
        WAIT_MS,
        () => "no call was retried",
      );
    });

    it("connects that time out: the other host gets the calls, each once", async (t) => {
      const before = await acquainted(t, "stalled", ["stalled", "prompt"]);
      before.forEach((client) => client.close());
      const known = (await stalled.arrivals()).length;
      const prompt = stage.server("prompt");
      prompt.arrivals.length = 0;
      const retries = await stage.bolt("retries");
      const unfill = await fillBacklog(stalled);

      const clients = await stage.connect(t, 4 * concurrency);
      const calls = clients.map((client, i) => makeCalls(client, 50, (n) => numbered("stalled")(50 * i + n)));
      assert.deepEqual(tally((await Promise.all(calls)).flat()), { prompt: 50 * clients.length });
      assertOnce(contents(prompt));
      assert.equal(prompt.arrivals.length, 50 * clients.length);
      unfill();
      stalled.thaw();
      assert.equal((await stalled.arrivals()).length, known, "no call reached the host that did not accept");
      await waitUntil(
        async () => (await stage.bolt("retries")) > retries,
        WAIT_MS,
        () => "no call was retried",
      );
    });

    for (const [name, die] of [
      ["rst", (connection: ServerConnection) => connection.reset()],
      ["fin", (connection: ServerConnection) => connection.socket.destroy()],
    ] as const) {
      it(`a host that dies by ${name.toUpperCase()} after reading calls: errors for those, nothing else`, async (t) => {
        const [client] = await stage.connect(t);
        const [victim, neighbour] = [stage.server(name), stage.server(`${name}-neighbour`)];
        victim.handler = () => undefined;
        const sent = await loadVictim(client, name, () => victim.requests);
        victim.refuse();
        victim.open.forEach(die);
        await assertLost(client, sent, contents(victim), neighbour);
        const answers = await makeCalls(client, 20, callOf(name), { from: sent });
        assert.deepEqual(tally(answers), { [neighbour.name]: 20 });
      });
    }

    it("a host that is killed after reading calls: errors for those, nothing else", async (t) => {
      const [client] = await stage.connect(t);
      const neighbour = stage.server("kill-neighbour");
      const sent = await loadVictim(client, "kill", async () => (await killed.arrivals()).length);
      const read = (await killed.arrivals()).map(({ content }) => content);
      await killed.kill();
      await assertLost(client, sent, read, neighbour);
      const answers = await makeCalls(client, 20, callOf("kill"), { from: sent });
      assert.deepEqual(tally(answers), { [neighbour.name]: 20 });
    });

    it("connections reset under load: each call is answered once, executed at most once", async (t) => {
      const clients = await acquainted(t, "storm", ["storm1", "storm2"]);
      const servers = ["storm1", "storm2"].map((name) => stage.server(name));
      let reads = 0;
      for (const server of servers) {
        server.arrivals.length = 0;
        server.handler = (frame) => {
          if (++reads % 300 === 0) server.resetAll();
          return server.echo(frame);
        };
      }
      const lanes = clients.map((client, i) => makeCalls(client, 500, (n) => numbered("storm")(500 * i + n)));
      const answers = (await Promise.all(lanes)).flat();
      const failed = answers.filter((answer) => servedBy(answer) === undefined);
      assert.ok(failed.length > 0 && failed.length < answers.length / 2, `${failed.length} failed`);
      for (const answer of failed) assertFailed(answer, LOST);
      assertOnce(servers.flatMap(contents));
      for (const client of clients) {
        assert.ok(Array.from({ length: 500 }, (_, i) => client.answers(i + 1).length).every((count) => count === 1));
      }
    });

    it("a server that half-closes: what it answered counts, the rest fails, the next call opens anew", async (t) => {
      const [client] = await stage.connect(t);
      const server = stage.server("half");
      server.handler = () => undefined;
      for (let id = 1; id <= 10; id++) void client.write(request(id, callOf("half")));
      await server.waitForRequests(10);
      const [connection] = server.open;
      for (const { frame } of server.arrivals.slice(0, 5)) connection.write(server.echo(frame) as Buffer);
      connection.end();
      for (let id = 1; id <= 10; id++) {
        const answer = await client.answer(id);
        if (id > 5) assertFailed(answer, LOST);
        else assert.equal(servedBy(answer), "half");
      }
      server.handler = (frame) => server.echo(frame);
      assert.equal(servedBy(await client.call(11, callOf("half"))), "half");
      assert.equal(server.requests, 11);
      await waitUntil(
        () => connection.closed,
        WAIT_MS,
        () => "the proxy has not closed its side",
      );
    });

    it("all hosts down: a readable error at once; back again: used again", async (t) => {
      const [known] = await acquainted(t, "down", ["down1", "down2"]);
      const servers = ["down1", "down2"].map((name) => stage.server(name));
      for (const server of servers) {
        server.refuse();
        server.resetAll();
      }
      const [fresh] = await stage.connect(t);
      for (const client of [known, fresh]) {
        for (const answer of await makeCalls(client, 20, callOf("down"))) {
          assert.equal(answer.status, BoltStatus.NO_PROCESSOR);
          assert.match(reasonOf(answer), /[Cc]onnection refused|connection failure/);
        }
      }
      for (const server of servers) await server.listen();
      await meet(known, ["down1", "down2"], callOf("down"));
      await meet(fresh, ["down1", "down2"], callOf("down"));
    });

    it("a go-away retires the connection; no call fails", async (t) => {
      const [client] = await stage.connect(t);
      const server = stage.server("goaway");
      const said = new Set<ServerConnection>();
      server.handler = (frame, connection) => {
        if (server.requests % 100 === 50) {
          said.add(connection);
          connection.write(request(1, { command: COMMAND_GOAWAY }));
        }
        return server.echo(frame);
      };
      const answers = await makeCalls(client, 400, numbered("goaway"), { window: 20 });
      assert.deepEqual(tally(answers), { goaway: 400 });
      assertOnce(contents(server));
      assert.ok(said.size >= 2);
      await waitUntil(
        () => [...said].every((connection) => connection.closed),
        WAIT_MS,
        () => "a connection is still open after the server's go-away",
      );
      assert.equal(server.open.length, 1);
      assert.ok(!client.frames.some(({ command }) => command === COMMAND_GOAWAY), "the client hears nothing of it");
    });

    it("requests of servers reach the client, and its answers the right server", async (t) => {
      const [client] = await stage.connect(t);
      const names = ["push1", "push2"];
      const servers = names.map((name) => stage.server(name));
      await meet(client, names, callOf("push"));
      for (const server of servers) server.handler = (frame) => (isRequest(frame) ? server.echo(frame) : undefined);
      const pushes = () => client.frames.filter(({ kind }) => kind === "request");
      for (const server of servers) lastUsed(server).write(request(77, { content: `from ${server.name}` }));
      await waitUntil(
        () => pushes().length === 2,
        WAIT_MS,
        () => `${pushes().length} of 2 pushes`,
      );
      const [first, second] = pushes();
      assert.notEqual(first.id, second.id);
      // A call of the client's own under the same id is another matter.
      void client.write(request(first.id, callOf("push")));
      await waitUntil(
        () => client.answers(first.id).some((frame) => names.includes(servedBy(frame) ?? "")),
        WAIT_MS,
        () => "no answer to the client's own call",
      );
      for (const { id, content } of pushes().reverse()) {
        void client.write(response(id, { content: `answer to ${content.toString()}` }));
      }
      const answersAt = (server: RawBoltServer) => server.arrivals.filter(({ frame }) => frame.kind === "response");
      for (const server of servers) {
        await waitUntil(
          () => answersAt(server).length > 0,
          WAIT_MS,
          () => `no answer at ${server.name}`,
        );
        const got = answersAt(server).map(({ frame }) => [frame.id, frame.content.toString()]);
        assert.deepEqual(got, [[77, `answer to from ${server.name}`]]);
      }
    });

    it("one-way requests and heartbeats of servers", async (t) => {
      const [client] = await stage.connect(t);
      const server = stage.server("push1");
      server.handler = (frame) => (isRequest(frame) ? server.echo(frame) : undefined);
      await meet(client, ["push1"], callOf("push"));
      const connection = lastUsed(server);
      server.arrivals.length = 0;
      connection.write(Buffer.concat([request(5, { type: 2, content: "notice" }), heartbeat(6)]));
      await waitUntil(
        () => client.frames.some(({ kind }) => kind === "oneway") && server.arrivals.length > 0,
        WAIT_MS,
        () => `${server.arrivals.length} frames at the server`,
      );
      assert.deepEqual(
        client.frames.filter(({ kind }) => kind !== "response").map(({ content }) => content.toString()),
        ["notice"],
      );
      assert.deepEqual(
        server.arrivals.map(({ frame }) => [frame.kind, frame.id]),
        [["heartbeatAck", 6]],
      );
    });

    it("nothing is left over", async () => {
      await waitUntil(
        async () => (await stage.bolt("active")) === 0,
        WAIT_MS,
        () => "the gauge `active` is not 0",
      );
    });
  });
}

/** The connection that brought the last request; others may just be looking for hosts. */
const lastUsed = (server: RawBoltServer): ServerConnection =>
  server.connections[server.arrivals.at(-1)?.connection ?? 0];

const isRequest = (frame: BoltFrame): boolean => frame.kind === "request";
