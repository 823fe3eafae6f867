/* eslint-disable @typescript-eslint/ban-ts-comment, @typescript-eslint/no-unused-vars */
// @ts-nocheck AssemblyScript, compiled by the test
// A guest with an import that Envoy does not have, in its module of that name.
export declare function proxy_clear_route_cache(): u32;

export function proxy_abi_version_0_2_1(): void {}
export function malloc(size: usize): usize {
  return proxy_clear_route_cache();
}
