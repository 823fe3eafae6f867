// The module: which codecs are compiled in, and which roots there are. A new protocol is one line here, a new filter one
// in filters.ts.
export * from "../../assembly/abi/exports";
import { registerRoot } from "../../assembly/abi/dispatch";
import { RootContext } from "../../assembly/abi/context";
import { HttpRoot } from "../../assembly/http/root";
import { ProxyRoot } from "../../assembly/proxy/root";
import { FilterRoots } from "../../assembly/stream/filter";
import { CodecRegistry } from "../../assembly/xprotocol/registry";
import { bolt } from "../codec/bolt/bolt";
import { boltv2 } from "../codec/boltv2/boltv2";
import { dubbo } from "../codec/dubbo/dubbo";
import { dubboThrift } from "../codec/dubbothrift/dubbothrift";
import { tars } from "../codec/tars/tars";
import { xExample } from "../codec/x_example/x_example";
import { filters } from "./filters";

const codecs = new CodecRegistry();
codecs.register(bolt);
codecs.register(boltv2);
codecs.register(dubbo);
codecs.register(dubboThrift);
codecs.register(tars);
codecs.register(xExample);

registerRoot("proxy", (id: u32): RootContext => new ProxyRoot(id, codecs, filters.of(FilterRoots.PROXY)));
registerRoot("http", (id: u32): RootContext => new HttpRoot(id, filters.of(FilterRoots.HTTP)));
