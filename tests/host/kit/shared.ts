import { Result } from "./abi.ts";

/** Process-wide shared data of one vm_id, with the compare-and-swap rules of proxy-wasm-cpp-host's SharedData. */
export class SharedData {
  private readonly values = new Map<string, { data: Buffer; cas: number }>();
  private lastCas = 0;

  get(key: string): { data: Buffer; cas: number } | null {
    return this.values.get(key) ?? null;
  }

  /** `cas` 0 overwrites always; any `cas` creates a missing key. */
  set(key: string, data: Buffer, cas: number): Result {
    const old = this.values.get(key);
    if (old !== undefined && cas !== 0 && cas !== old.cas) return Result.CasMismatch;
    this.values.set(key, { data, cas: ++this.lastCas });
    return Result.Ok;
  }
}

interface Queue {
  token: number;
  items: Buffer[];
  /** Runs proxy_on_queue_ready in the VM that registered last. */
  notify: (token: number) => void;
}

/** Process-wide shared queues: one consumer each, the last that registered the name. */
export class SharedQueues {
  private readonly byName = new Map<string, Queue>();

  register(vmId: string, name: string, notify: (token: number) => void): number {
    const key = `${vmId}\0${name}`;
    const queue = this.byName.get(key) ?? { token: this.byName.size + 1, items: [], notify };
    queue.notify = notify;
    this.byName.set(key, queue);
    return queue.token;
  }

  resolve(vmId: string, name: string): number | null {
    return this.byName.get(`${vmId}\0${name}`)?.token ?? null;
  }

  enqueue(token: number, data: Buffer): Result {
    const queue = this.find(token);
    if (queue === undefined) return Result.NotFound;
    queue.items.push(data);
    queue.notify(token);
    return Result.Ok;
  }

  /** A result instead of data: NotFound or Empty. */
  dequeue(token: number): Buffer | Result {
    const queue = this.find(token);
    return queue === undefined ? Result.NotFound : (queue.items.shift() ?? Result.Empty);
  }

  private find(token: number): Queue | undefined {
    return [...this.byName.values()].find((queue) => queue.token === token);
  }
}
