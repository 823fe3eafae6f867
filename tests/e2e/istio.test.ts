// What users copy for Istio is the listener that the other suites run.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { pluginConfig, readBootstrap, rpcChain, rpcListener, socketAddress } from "../../scripts/lib/bootstrap.ts";
import { startEnvoy } from "./kit/envoy.ts";

const root = resolve(import.meta.dirname, "../..");
const INSPECTION = ["listener_filters", "listener_filters_timeout", "continue_on_listener_filters_timeout"];
const patch = parse(readFileSync(resolve(root, "istio/envoyfilter.yaml"), "utf8")).spec.configPatches[0].patch;

test("istio/envoyfilter.yaml: the listener of envoy.yaml, but for HTTP, its place, its routes and where the module is", () => {
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

test("istio/envoyfilter.yaml: its configuration is one that the module takes", async (t) => {
  const { value } = pluginConfig(patch.value).configuration as { value: object };
  await startEnvoy(t, { config: value });
});
