import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";
import { canonicalHost } from "../config/ip_text";
import { FoldTable } from "./fold";

const STAR: u32 = 0x2a;
const BRACKET: u32 = 0x5b;

const spelled = new View();

/** The virtual hosts of one host name (or suffix), by port. */
class Ports {
  /** The virtual host for the port "*"; -1: none. */
  any: i32 = -1;
  private readonly ports: Bytes[] = [];
  private readonly indexes: i32[] = [];

  /** The virtual host for exactly this port; -1: none. */
  find(ptr: usize, length: i32): i32 {
    for (let i = 0; i < this.ports.length; i++) {
      if (unchecked(this.ports[i]).equals(ptr, length)) return unchecked(this.indexes[i]);
    }
    return -1;
  }

  /** False when the port is taken. */
  add(port: Bytes, index: i32): bool {
    if (port.length == 1 && load<u8>(port.ptr) == STAR) {
      if (this.any >= 0) return false;
      this.any = index;
      return true;
    }
    if (this.find(port.ptr, port.length) >= 0) return false;
    this.ports.push(port);
    this.indexes.push(index);
    return true;
  }
}

/**
 * Chooses a virtual host by MOSN's rules (docs/reference/mosn.md#virtual-hosts): exact host and port, exact host and port "*", longest
 * suffix "*.x" and port, longest suffix and port "*", then the default "*". ASCII case does not count. A host without
 * port has the port "". IPv6 addresses, in brackets, may be spelled in any way. Where MOSN refuses several colons, the first one ends the host: SOFA's services are called
 * NAME:VERSION:UNIQUE_ID.
 */
export class HostTable {
  private readonly exact: FoldTable = new FoldTable();
  private readonly exactPorts: Ports[] = [];
  private readonly suffixes: FoldTable = new FoldTable();
  private readonly suffixPorts: Ports[] = [];
  /** Lengths of the suffixes, longest first. */
  private readonly suffixLengths: i32[] = [];
  private fallback: i32 = -1;

  /** The virtual host that takes what no other does; -1: none. */
  get defaultHost(): i32 {
    return this.fallback;
  }

  /** Whether the host of a request makes no difference. */
  get onlyDefault(): bool {
    return this.exact.size == 0 && this.suffixes.size == 0;
  }

  /** Adds a domain of virtual host `index`; returns why that cannot be, or "". */
  add(domain: string, index: i32): string {
    const bytes = Bytes.of(domain);
    const end = hostEnd(bytes.ptr, bytes.length);
    const port = end < bytes.length ? Bytes.copy(bytes.ptr + (end as usize) + 1, bytes.length - end - 1) : Bytes.EMPTY;
    const host = isAddress(bytes.ptr, end) ? Bytes.copy(spelled.ptr, spelled.length) : Bytes.copy(bytes.ptr, end);
    if (bytes.length == 0 || (end == 0 && port.length == 0)) return "a domain must not be empty";
    const wild = end > 0 && load<u8>(host.ptr) == STAR;
    for (let i = wild ? 1 : 0; i < host.length; i++) {
      if (load<u8>(host.ptr + (i as usize)) == STAR) return 'a "*" may stand only at the start of a domain';
    }
    if (end == 1 && wild && (port.length == 0 || load<u8>(port.ptr) == STAR)) {
      if (this.fallback >= 0) return "duplicate default domain";
      this.fallback = index;
      return "";
    }
    const added = wild
      ? this.addSuffix(Bytes.copy(host.ptr + 1, end - 1), port, index)
      : this.put(this.exact, this.exactPorts, host, port, index);
    return added ? "" : "duplicate domain";
  }

  private addSuffix(suffix: Bytes, port: Bytes, index: i32): bool {
    if (!this.suffixLengths.includes(suffix.length)) {
      this.suffixLengths.push(suffix.length);
      this.suffixLengths.sort((a: i32, b: i32) => b - a);
    }
    return this.put(this.suffixes, this.suffixPorts, suffix, port, index);
  }

  private put(table: FoldTable, ports: Ports[], key: Bytes, port: Bytes, index: i32): bool {
    let number = table.find(key.ptr, key.length);
    if (number < 0) {
      number = table.add(key);
      ports.push(new Ports());
    }
    return ports[number].add(port, index);
  }

  /** The virtual host for the host (and port) of a request; -1: none. */
  find(ptr: usize, length: i32): i32 {
    const end = hostEnd(ptr, length);
    const port = ptr + (min(end + 1, length) as usize);
    const portLength = max(length - end - 1, 0);
    const isSpelled = isAddress(ptr, end);
    const number = isSpelled ? this.exact.find(spelled.ptr, spelled.length) : this.exact.find(ptr, end);
    if (number >= 0) {
      const ports = unchecked(this.exactPorts[number]);
      const index = ports.find(port, portLength);
      if (index >= 0) return index;
      if (ports.any >= 0) return ports.any;
    }
    let any = -1;
    for (let i = 0; i < this.suffixLengths.length; i++) {
      const n = unchecked(this.suffixLengths[i]);
      // The "*" stands for one character at least.
      if (n >= end) continue;
      const suffix = this.suffixes.find(ptr + ((end - n) as usize), n);
      if (suffix < 0) continue;
      const ports = unchecked(this.suffixPorts[suffix]);
      const index = ports.find(port, portLength);
      if (index >= 0) return index;
      if (any < 0) any = ports.any;
    }
    return any >= 0 ? any : this.fallback;
  }
}

/** Whether a host is an address in brackets; `spelled` is its one spelling then. */
// @ts-ignore: decorator
@inline
function isAddress(ptr: usize, length: i32): bool {
  return length > 0 && (load<u8>(ptr) as u32) == BRACKET && canonicalHost(ptr, length, spelled);
}

/** Where the host ends and, after one colon, the port starts; the whole length without a port. */
function hostEnd(ptr: usize, length: i32): i32 {
  let at = 0;
  if (length > 0 && load<u8>(ptr) == 0x5b) while (at < length && load<u8>(ptr + (at as usize)) != 0x5d) at++;
  while (at < length && load<u8>(ptr + (at as usize)) != 0x3a) at++;
  return at;
}
