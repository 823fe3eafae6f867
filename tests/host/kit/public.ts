// What `moe-wasm/kit` is in the package: the emulator, without what only tests of the emulator itself use.
export * from "./abi.ts";
export type { CallbackRecord, CallCounts } from "./accounting.ts";
export { Callout } from "./callouts.ts";
export { Client } from "./client.ts";
export { ConnectStream } from "./connect-stream.ts";
export { KitFault, LoadError } from "./errors.ts";
export { type ConnectOptions, Host, type HostOptions, type SwitchboardClient } from "./host.ts";
export { Switchboard } from "./switchboard.ts";
export type { SwitchboardOptions } from "./switchboard-options.ts";
export { HttpExchange, type RequestOptions } from "./http/client.ts";
export { type HeaderInit, HeaderMap } from "./http/header-map.ts";
export type { HttpRoute, RouteTable } from "./http/route.ts";
export type { RespondOptions, UpstreamRequest } from "./http/upstream.ts";
export { ByteTerminal, type Terminal } from "./terminal.ts";
export { Vm } from "./vm.ts";
