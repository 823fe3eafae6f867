// What registries with an HTTP API have in common: several servers, deadlines, bounds, and rounds that are repeated.
import type { Listener } from "../model.ts";

const DEADLINE_MS = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;
const BACKOFF_MS = [500, 15_000];

export class HttpRegistry {
  private current = 0;
  private timer?: NodeJS.Timeout;
  private ended = false;
  private attempts = 0;
  private up = false;

  constructor(
    private readonly hosts: { host: string; port: number }[],
    private readonly headers: Record<string, string> = {},
  ) {
    this.current = Math.floor(Math.random() * hosts.length);
  }

  /** GET, or POST with a body; the answer as JSON. Throws on any answer but 200. */
  async json(path: string, body?: string, deadlineMs = DEADLINE_MS): Promise<unknown> {
    return (await this.ask(path, body, deadlineMs)).value;
  }

  /** The same, with the answer's headers. */
  async ask(path: string, body?: string, deadlineMs = DEADLINE_MS): Promise<{ value: unknown; headers: Headers }> {
    const { host, port } = this.hosts[this.current % this.hosts.length];
    const name = host.includes(":") ? `[${host}]` : host;
    const form = { "content-type": body?.startsWith("{") ? "application/json" : "application/x-www-form-urlencoded" };
    const answer = await fetch(`http://${name}:${port}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { ...this.headers, ...(body === undefined ? {} : form) },
      body,
      signal: AbortSignal.timeout(deadlineMs),
      redirect: "error",
    });
    const text = await bounded(answer);
    if (!answer.ok) throw new Error(`${path.split("?")[0]}: ${answer.status} ${text.slice(0, 200)}`);
    return { value: JSON.parse(text) as unknown, headers: answer.headers };
  }

  /** Whether this is the first good round since the connection was lost. */
  reconnected(): boolean {
    const first = !this.up;
    this.up = true;
    this.attempts = 0;
    return first;
  }

  /** Does a round, and the next so long after its end; one that fails is tried at the next server, ever more seldom. */
  repeat(intervalMs: number, round: () => Promise<void>, listener: Listener): void {
    const again = async () => {
      let wait = intervalMs;
      try {
        await round();
      } catch (error) {
        this.up = false;
        this.current++;
        if (this.ended) return;
        listener.connected(false, reasonOf(error as Error));
        wait = Math.min(BACKOFF_MS[1], BACKOFF_MS[0] * 2 ** this.attempts++);
      }
      if (!this.ended) this.timer = setTimeout(() => void again(), wait);
    };
    void again();
  }

  close(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }
}

/** fetch hides why a connection failed. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function bounded(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body ?? []) {
    size += part.length;
    if (size > MAX_BYTES) throw new Error(`an answer of more than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
