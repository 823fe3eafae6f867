// The module: this project's filter, one of moe-wasm's, and the protocols. It is all that Envoy needs.
export * from "moe-wasm/assembly/abi/exports";
import { RootContext } from "moe-wasm/assembly/abi/context";
import { registerRoot } from "moe-wasm/assembly/abi/dispatch";
import { HttpRoot } from "moe-wasm/assembly/http/root";
import { ProxyRoot } from "moe-wasm/assembly/proxy/root";
import { FilterRoots } from "moe-wasm/assembly/stream/filter";
import { FilterRegistry } from "moe-wasm/assembly/stream/registry";
import { CodecRegistry } from "moe-wasm/assembly/xprotocol/registry";
import { bolt } from "moe-wasm/filters/codec/bolt/bolt";
import { fault } from "moe-wasm/filters/stream/fault/fault";
import { refuseHeader } from "./refuse_header";

const codecs = new CodecRegistry();
codecs.register(bolt);

const filters = new FilterRegistry();
filters.register(fault);
filters.register(refuseHeader);

registerRoot("proxy", (id: u32): RootContext => new ProxyRoot(id, codecs, filters.of(FilterRoots.PROXY)));
registerRoot("http", (id: u32): RootContext => new HttpRoot(id, filters.of(FilterRoots.HTTP)));
