// The recorded sessions of tests/frames, and a server that plays the recorded server's part.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type BoltFrame, BoltStatus, parseFrames, withId } from "../../host/kit/bolt.ts";
import type { Reply } from "./server.ts";

const FRAMES = join(import.meta.dirname, "../../frames");
/** Sessions in which the server answers after the client's timeout, which is this long at most, ms. */
const SHORT_TIMEOUT = 300;

/** One recorded connection. */
export interface Recording {
  name: string;
  /** Everything the client sent. */
  sent: Buffer;
  /** What a server has to get, in the order of the client: no heartbeats. */
  requests: BoltFrame[];
  /** The recorded answers that a client has to get, and the acknowledgements of its heartbeats. */
  answers: BoltFrame[];
  /** Requests whose recorded answer came too late: they are to be answered with a timeout. */
  late: BoltFrame[];
}

/** All recorded sessions of Bolt. */
export function boltRecordings(): Recording[] {
  return names(/^(bolt|sofa)-/).map((name) => {
    const [sent, got] = recordedBytes(name);
    const requests = parseFrames(sent).frames.filter((frame) => frame.kind !== "heartbeat");
    const isLate = (frame: BoltFrame) => frame.timeout > 0 && frame.timeout <= SHORT_TIMEOUT;
    const late = requests.filter(isLate);
    const answers = parseFrames(got).frames;
    return { name, sent, requests, late, answers: late.length > 0 ? [] : answers };
  });
}

/** Names of the sessions that match. */
export function names(pattern: RegExp): string[] {
  const files = readdirSync(FRAMES).filter((file) => file.endsWith(".c2s.bin") && pattern.test(file));
  return files.map((file) => file.slice(0, -".c2s.bin".length)).sort();
}

/** What the client and what the server of a session sent. */
export function recordedBytes(name: string): [sent: Buffer, got: Buffer] {
  const read = (file: string) => readFileSync(join(FRAMES, file));
  const answered = readdirSync(FRAMES).includes(`${name}.s2c.bin`);
  return [read(`${name}.c2s.bin`), answered ? read(`${name}.s2c.bin`) : Buffer.alloc(0)];
}

/** Everything of a frame but its id. */
const contentOf = (frame: BoltFrame) => withId(frame.raw, 0).toString("latin1");

/** Knows the recorded answers by what was asked, whatever the id, and counts what is asked. */
export class RecordedServer {
  /** Requests that were never recorded. */
  readonly strangers: BoltFrame[] = [];
  private readonly answers = new Map<string, BoltFrame | undefined>();
  private readonly arrived = new Map<string, number>();

  constructor(recordings: Recording[]) {
    for (const { requests, answers } of recordings) {
      for (const request of requests) {
        const answer = answers.find((frame) => frame.id === request.id);
        const key = contentOf(request);
        const other = this.answers.get(key);
        if (other && answer) assert.equal(contentOf(other), contentOf(answer), "one request with two answers");
        this.answers.set(key, answer ?? other);
      }
    }
  }

  /** The recorded answer to a request, with the request's id; undefined when there is none, or it came late. */
  readonly handler = (frame: BoltFrame): Reply => {
    const key = contentOf(frame);
    if (!this.answers.has(key) || frame.crc === "bad") this.strangers.push(frame);
    this.arrived.set(key, (this.arrived.get(key) ?? 0) + 1);
    const answer = this.answers.get(key);
    return answer && withId(answer.raw, frame.id);
  };

  /** How many requests have come. */
  get total(): number {
    return [...this.arrived.values()].reduce((a, b) => a + b, 0);
  }

  /** Fails unless exactly these recordings' requests have come, each so many times and with all its bytes. */
  assertGot(recordings: Recording[], times = 1): void {
    assert.deepEqual(this.strangers, [], "requests that were never recorded");
    const expected = new Map<string, number>();
    for (const key of recordings.flatMap(({ requests }) => requests.map(contentOf))) {
      expected.set(key, (expected.get(key) ?? 0) + times);
    }
    assert.deepEqual(sorted(this.arrived), sorted(expected), recordings.map(({ name }) => name).join());
    this.arrived.clear();
  }
}

const sorted = (counts: Map<string, number>) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1));

/** Fails unless these are exactly the recorded answers, byte for byte and in any order, and a timeout for each late one. */
export function assertAnswers(got: BoltFrame[], recordings: Recording[], name = ""): void {
  const late = new Set(recordings.flatMap((recording) => recording.late.map(({ id }) => id)));
  const describe = (frame: BoltFrame) =>
    frame.status === BoltStatus.TIMEOUT && late.has(frame.id) && frame.crc !== "bad"
      ? `timeout of ${frame.id}`
      : frame.raw.toString("hex");
  const expected = recordings.flatMap((recording) => [
    ...recording.answers.map((frame) => frame.raw.toString("hex")),
    ...recording.late.map((frame) => `timeout of ${frame.id}`),
  ]);
  assert.deepEqual(got.map(describe).sort(), expected.sort(), name);
}

/** How many frames the client of these sessions gets. */
export function answerCount(recordings: Recording[]): number {
  return recordings.reduce((total, { answers, late }) => total + answers.length + late.length, 0);
}
