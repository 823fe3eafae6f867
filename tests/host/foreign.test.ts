// Envoy's foreign functions: what filters ask for reaches Envoy, and how it ends they are told.
import assert from "node:assert/strict";
import { it } from "node:test";
import { close, lines, start } from "./http-script.ts";
import { Result } from "./kit/abi.ts";

const NAME = "set_envoy_filter_state";
/** SetEnvoyFilterStateArguments: path, value, span DownstreamRequest. */
const argument = (path: string, value: string): string =>
  Buffer.concat([
    Buffer.from([0x0a, path.length]),
    Buffer.from(path),
    ...(value === "" ? [] : [Buffer.from([0x12, value.length]), Buffer.from(value)]),
    Buffer.from([0x18, 1]),
  ]).toString("hex");

it("set_envoy_filter_state gets key, value and how long it lasts", async () => {
  const host = await start([{ BEFORE_ROUTE: ["state:envoy.string:hello state:envoy.string:"] }]);
  const got: string[] = [];
  host.foreign.set(NAME, (bytes) => {
    got.push(bytes.toString("hex"));
    return Buffer.alloc(0);
  });
  assert.equal(host.request({}).status, 200);
  assert.deepEqual(
    got,
    [argument("envoy.string", "hello"), argument("envoy.string", "")],
    "nothing stays of the first",
  );
  assert.equal(lines(host).filter((line) => line === `state ${Result.Ok}`).length, 2);
  close(host);
});

it("what Envoy does not know is told", async () => {
  const host = await start([{ BEFORE_ROUTE: ["state:other:"] }]);
  assert.equal(host.request({}).status, 200);
  assert.ok(lines(host).includes(`state ${Result.NotFound}`), "it has no such function");
  host.foreign.set(NAME, (bytes) => (bytes.toString("hex") === argument("other", "") ? Result.BadArgument : Result.Ok));
  host.request({});
  assert.ok(lines(host).includes(`state ${Result.BadArgument}`));
  close(host);
});
