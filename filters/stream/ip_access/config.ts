import { Bytes } from "../../../assembly/bytes/bytes";
import { ObjectReader } from "../../../assembly/config/object";
import { FilterConfig } from "../../../assembly/stream/filter";
import { AddressSet } from "./address_set";

const ACTIONS: string[] = ["allow", "deny"];
const DENY: i32 = 1;

/** One of `ips`. */
export class AccessList {
  constructor(
    readonly allows: bool,
    readonly addresses: AddressSet,
  ) {}
}

/** Configuration of `ip_access`. */
export class IpAccessConfig extends FilterConfig {
  /** What becomes of addresses in no list. */
  readonly allowsOthers: bool;
  /** The header with the address; empty: the connection's counts. */
  readonly header: Bytes;
  readonly lists: AccessList[] = [];

  constructor(from: ObjectReader) {
    super();
    this.allowsOthers = from.choice("default_action", 0, ACTIONS) != DENY;
    this.header = from.bytes("header");
    const lists = from.objects("ips");
    for (let i = 0; i < lists.length; i++) this.lists.push(readList(lists[i]));
    from.finish();
  }
}

function readList(from: ObjectReader): AccessList {
  const action = from.choice("action", 0, ACTIONS);
  const texts = from.strings("addrs");
  if (texts.length == 0) from.fail("addrs", "must name at least one address");
  const addresses = new AddressSet(texts);
  from.failStrings("addrs", addresses.wrong, 'expected an IP address or a network such as "10.0.0.0/8"');
  from.finish();
  return new AccessList(action != DENY, addresses);
}
