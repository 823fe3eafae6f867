// Child process: the neighbour of peers that do not read, and its server: the peers' own process is too busy to measure times.
import { Histogram } from "../bench/histogram.ts";
import { RawBoltClient } from "../e2e/kit/client.ts";
import { RawBoltServer } from "../e2e/kit/server.ts";
import { callOf } from "../e2e/kit/stage.ts";

/** Told by the parent: makes calls on a connection of its own, one after the other. */
export interface Watch {
  port: number;
  ms: number;
}

/** What came of them: the 99th of a hundred of their times, ms. */
export interface Watched {
  calls: number;
  p99: number;
  failure?: string;
}

async function watch({ port, ms }: Watch): Promise<Watched> {
  const client = await RawBoltClient.connect(port);
  const times = new Histogram();
  const end = performance.now() + ms;
  for (let id = 1; performance.now() < end; id++) {
    const from = performance.now();
    const { status, content } = await client.call(id, { ...callOf("fast"), content: `neighbour ${id}` });
    if (status !== 0 || content.toString() !== `neighbour ${id}`) throw new Error(`neighbour: status ${status}`);
    times.record(performance.now() - from);
    client.frames.length = 0;
  }
  client.close();
  return { calls: times.count, p99: times.percentile(0.99) };
}

const server = await RawBoltServer.start({ record: false });
process.on("message", (told: Watch) => {
  watch(told).then(
    (watched) => process.send?.(watched),
    (error: unknown) => process.send?.({ calls: 0, p99: 0, failure: String(error) } satisfies Watched),
  );
});
process.once("disconnect", () => process.exit());
process.send?.(server.port);
