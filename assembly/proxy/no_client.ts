import { Owner } from "../upstream/owner";
import { Pools } from "../upstream/pools";
import { Client } from "./client";
import { ConnectionInfo } from "./connection_info";
import { Services } from "./services";

/** The client of requests that are not in use: it keeps no other client alive. */
export class NoClient extends Client {
  constructor(services: Services) {
    const owner = new NoOwner(services);
    super(services, owner, new Pools(owner), new ConnectionInfo(0), null);
  }

  get unread(): i32 {
    return 0;
  }

  get partial(): i32 {
    return 0;
  }

  get heldUp(): bool {
    return false;
  }

  linger(): void {}

  closeSoon(): void {}

  reread(): void {}
}

class NoOwner extends Owner {
  constructor(services: Services) {
    super(0, services);
    this.closed = true;
  }

  onTick(): void {}
}
