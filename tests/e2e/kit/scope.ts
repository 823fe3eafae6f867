import { after } from "node:test";

/** Something with an end at which what was started is stopped: node:test's context of a test, or a suite's. */
export interface Scope {
  after(end: () => unknown): void;
}

/** The scope of the suite whose `describe` calls this; what was started last ends first. */
export function suiteScope(): Scope {
  const ends: (() => unknown)[] = [];
  after(async () => {
    const errors: unknown[] = [];
    for (const end of ends.reverse()) {
      try {
        await end();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  });
  return { after: (end) => ends.push(end) };
}
