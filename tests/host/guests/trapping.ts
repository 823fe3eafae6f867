/* eslint-disable @typescript-eslint/ban-ts-comment */
// @ts-nocheck AssemblyScript, compiled by the test
// The module with Bolt, the filter `fault`, and a protocol whose frames do what the module never should: they trap.
export * from "../../../assembly/abi/exports";
import { RootContext } from "../../../assembly/abi/context";
import { registerRoot } from "../../../assembly/abi/dispatch";
import { HttpRoot } from "../../../assembly/http/root";
import { ProxyRoot } from "../../../assembly/proxy/root";
import { FilterRoots } from "../../../assembly/stream/filter";
import { FilterRegistry } from "../../../assembly/stream/registry";
import { Decoded, Detected, Peer } from "../../../assembly/xprotocol/codec";
import { Frame } from "../../../assembly/xprotocol/frame";
import { CodecRegistry } from "../../../assembly/xprotocol/registry";
import { bolt } from "../../../filters/codec/bolt/bolt";
import { XExample } from "../../../filters/codec/x_example/x_example";
import { fault } from "../../../filters/stream/fault/fault";

const MAGIC: u32 = 0x707274ff; // ff "trp": nothing that an HTTP method could begin with
const LENGTH: i32 = 5;
const INDEX: u8 = 0x49; // 'I'
const MEMORY: u8 = 0x4d; // 'M'

const numbers: i32[] = [1, 2, 3];

function endless(depth: i32): i32 {
  return depth < 0 ? 0 : endless(depth + 1) + endless(depth + 2);
}

/** x_example, under its name, for bytes that begin with the magic and a letter for the way to trap. */
class Trapping extends XExample {
  detect(ptr: usize, length: i32): Detected {
    if (length < LENGTH) return Detected.MORE;
    return load<u32>(ptr) == MAGIC ? Detected.YES : Detected.NO;
  }

  decode(ptr: usize, length: i32, peer: Peer, maxLength: i32, frame: Frame): Decoded {
    if (length < LENGTH) return frame.more(LENGTH);
    const way = load<u8>(ptr, 4);
    if (way == INDEX) numbers[length + 3]++;
    else if (way == MEMORY) store<u8>(0xfffffff0, 1);
    else numbers[0] = endless(length);
    return Decoded.ERROR;
  }
}

const codecs = new CodecRegistry();
codecs.register(bolt);
codecs.register(new Trapping());

const filters = new FilterRegistry();
filters.register(fault);

registerRoot("proxy", (id: u32): RootContext => new ProxyRoot(id, codecs, filters.of(FilterRoots.PROXY)));
registerRoot("http", (id: u32): RootContext => new HttpRoot(id, filters.of(FilterRoots.HTTP)));
