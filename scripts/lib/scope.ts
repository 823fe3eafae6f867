// A stretch of work that things end with, for scripts; tests have node:test's context for it.

export class Scope {
  private readonly ends: (() => Promise<void>)[] = [];

  /** Has `end` called when the scope ends, the latest first. */
  after(end: () => Promise<void>): void {
    this.ends.unshift(end);
  }

  /** Ends everything, once; returns what went wrong. */
  async end(): Promise<Error[]> {
    const errors: Error[] = [];
    for (const end of this.ends.splice(0)) await end().catch((error: Error) => errors.push(error));
    return errors;
  }
}
