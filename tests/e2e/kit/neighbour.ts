import assert from "node:assert/strict";
import { BoltStatus } from "../../host/kit/bolt.ts";
import { RawBoltClient } from "./client.ts";

/** Calls on a connection of its own, one after the other until it is stopped: what others do must not show there. */
export class Neighbour {
  /** Calls that were answered. */
  calls = 0;
  private stopped = false;
  private readonly ended: Promise<void>;

  private constructor(
    private readonly client: RawBoltClient,
    private readonly name: string,
  ) {
    this.ended = this.run();
    // Whoever stops it hears of it.
    this.ended.catch(() => {});
  }

  /** Returns after the first answer. The contents of the calls start with the name. */
  static async start(port: number, name: string): Promise<Neighbour> {
    const neighbour = new Neighbour(await RawBoltClient.connect(port), name);
    await neighbour.client.waitForFrames(1);
    return neighbour;
  }

  /** Makes the last call. Fails if any was not answered as it should have been. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.ended;
    assert.equal(this.client.state, "open");
    assert.equal(this.client.frames.length, this.calls);
    assert.ok(this.calls > 0);
    this.client.close();
  }

  private async run(): Promise<void> {
    do {
      const content = `${this.name} ${this.calls}`;
      const answer = await this.client.call(this.calls, { content });
      assert.equal(answer.status, BoltStatus.SUCCESS, content);
      assert.equal(answer.content.toString(), content);
      this.calls++;
    } while (!this.stopped);
  }
}
