import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { AddressSet } from "../../../assembly/config/address_set";
import { IpAddress } from "../../../assembly/config/ip_address";
import { ObjectReader } from "../../../assembly/config/object";
import { Admission, FilterConfig } from "../../../assembly/stream/filter";

const ACTIONS: string[] = ["allow", "deny"];
const DENY: i32 = 1;

const client = new IpAddress();

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

  /** The first list that has the address decides. */
  allows(address: IpAddress): bool {
    for (let i = 0; i < this.lists.length; i++) {
      const list = unchecked(this.lists[i]);
      if (list.addresses.contains(address)) return list.allows;
    }
    return this.allowsOthers;
  }

  /** What is no request has no header: the connection's address counts. */
  admits(address: View, raw: bool): Admission {
    if (this.lists.length > 0 && !client.parseEndpoint(address.ptr, address.length)) return Admission.UNDECIDED;
    const allowed = this.lists.length > 0 ? this.allows(client) : this.allowsOthers;
    return allowed ? Admission.GRANTED : Admission.DENIED;
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
