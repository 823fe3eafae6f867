// A stretch of work that things end with, for scripts; tests have node:test's context for it.

export class Scope {
  private readonly ends: (() => unknown)[] = [];

  /** Has `end` called when the scope ends, the latest first. */
  after(end: () => unknown): void {
    this.ends.unshift(end);
  }

  /** Ends everything, once; returns what went wrong. */
  async end(): Promise<Error[]> {
    const errors: Error[] = [];
    for (const end of this.ends.splice(0)) {
      try {
        await end();
      } catch (error) {
        errors.push(error as Error);
      }
    }
    return errors;
  }
}
