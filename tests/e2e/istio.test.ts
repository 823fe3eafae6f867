// What users copy for Istio is the listener that the other suites run.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import {
  pluginConfig,
  readBootstrap,
  rpcChain,
  rpcListener,
  socketAddress,
  switchboard,
} from "../../scripts/lib/bootstrap.ts";
import { startEnvoy } from "./kit/envoy.ts";
import { added, type Side } from "./kit/istio.ts";

const root = resolve(import.meta.dirname, "../..");
const INSPECTION = ["listener_filters", "listener_filters_timeout", "continue_on_listener_filters_timeout"];
const patch = parse(readFileSync(resolve(root, "istio/listener.yaml"), "utf8")).spec.configPatches[0].patch;

test("istio/listener.yaml: the listener of envoy.yaml, but for HTTP, its place, its routes and where the module is", () => {
  assert.equal(patch.operation, "ADD");
  const ours = rpcListener(readBootstrap(resolve(root, "envoy/envoy.yaml")));
  // In a mesh HTTP has ports and listeners of its own.
  ours.filter_chains = [rpcChain(ours)];
  for (const field of INSPECTION) delete ours[field];
  const theirs = structuredClone(patch.value);
  assert.equal(theirs.traffic_direction, "OUTBOUND");
  delete theirs.traffic_direction;
  theirs.name = ours.name;
  socketAddress(theirs).address = socketAddress(ours).address;
  pluginConfig(theirs).vm_config.code = pluginConfig(ours).vm_config.code;
  pluginConfig(theirs).configuration = pluginConfig(ours).configuration;
  assert.deepEqual(theirs, ours);
});

test("istio/listener.yaml: its configuration is one that the module takes", async (t) => {
  const { value } = pluginConfig(patch.value).configuration as { value: object };
  await startEnvoy(t, { config: value });
});

test("istio/switchboard.yaml: the switchboard of envoy.yaml, but for the check of keys, on each side", () => {
  const ours = switchboard(rpcListener(readBootstrap(resolve(root, "envoy/envoy.yaml"))));
  const filters = ours.http_filters as { name: string }[];
  ours.http_filters = filters.filter(({ name }) => name !== "envoy.filters.http.rbac");
  for (const side of ["SIDECAR_OUTBOUND", "SIDECAR_INBOUND", "GATEWAY"] satisfies Side[]) {
    const [listener, ...others] = added(side).listeners;
    assert.equal(others.length, 0);
    assert.deepEqual(listener.filter_chains[0].filters[0].typed_config, ours);
    // What Istio's drain goes by.
    assert.equal(listener.traffic_direction, side === "SIDECAR_INBOUND" ? "INBOUND" : "OUTBOUND");
  }
});
