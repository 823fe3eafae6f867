/** Something with an end at which what was started is stopped: node:test's context, or `{ after }` of a suite. */
export interface Scope {
  after(end: () => unknown): void;
}
