/**
 * The module under test did something that Envoy would not survive, or that the kit cannot imitate. Thrown through the
 * module to the test that caused it, and kept in `Host.faults`, so that no catch can hide it.
 */
export class KitFault extends Error {
  constructor(
    /** Short name of the broken rule; see README.md. */
    readonly rule: string,
    message: string,
  ) {
    super(`[${rule}] ${message}`);
  }
}

/** Envoy would refuse to load this module or this configuration. */
export class LoadError extends Error {
  constructor(
    message: string,
    /** What the module logged while it was loaded. */
    readonly logs: readonly string[] = [],
  ) {
    super(logs.length === 0 ? message : `${message}\n${logs.join("\n")}`);
  }
}
