// The module: which codecs are compiled in, and which roots there are. A new protocol is one line here.
export * from "../../assembly/abi/exports";
import { registerRoot } from "../../assembly/abi/dispatch";
import { RootContext } from "../../assembly/abi/context";
import { ProxyRoot } from "../../assembly/proxy/root";
import { FilterRegistry } from "../../assembly/stream/registry";
import { CodecRegistry } from "../../assembly/xprotocol/registry";
import { bolt } from "../codec/bolt/bolt";
import { boltv2 } from "../codec/boltv2/boltv2";
import { dubbo } from "../codec/dubbo/dubbo";
import { dubboThrift } from "../codec/dubbothrift/dubbothrift";
import { tars } from "../codec/tars/tars";
import { xExample } from "../codec/x_example/x_example";
import { fault } from "../stream/fault/fault";

const codecs = new CodecRegistry();
codecs.register(bolt);
codecs.register(boltv2);
codecs.register(dubbo);
codecs.register(dubboThrift);
codecs.register(tars);
codecs.register(xExample);

const filters = new FilterRegistry();
filters.register(fault);

registerRoot("proxy", (id: u32): RootContext => new ProxyRoot(id, codecs, filters));
