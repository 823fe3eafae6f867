// The module: which codecs are compiled in, and which roots there are. A new protocol is one line here.
export * from "../../assembly/abi/exports";
import { registerRoot } from "../../assembly/abi/dispatch";
import { RootContext } from "../../assembly/abi/context";
import { ProxyRoot } from "../../assembly/proxy/root";
import { CodecRegistry } from "../../assembly/xprotocol/registry";
import { BoltCodec } from "../codec/bolt/codec";
import { Bolt } from "../codec/bolt/bolt";
import { BoltV2 } from "../codec/boltv2/boltv2";
import { XExample } from "../codec/x_example/x_example";

const codecs = new CodecRegistry();

const bolt = new Bolt();
const boltV2 = new BoltV2();
BoltCodec.pair(bolt, boltV2);
codecs.register(bolt);
codecs.register(boltV2);
codecs.register(new XExample());

registerRoot("proxy", (id: u32): RootContext => new ProxyRoot(id, codecs));
