// What targets have in common.
import type { Service } from "../keeper.ts";

/** The services that changed, and all there are. */
export interface Changes {
  changed: ReadonlySet<string>;
  services: () => Iterable<Service>;
  service: (name: string) => Service | undefined;
}

/** Somewhere to write to. */
export interface Target {
  readonly name: string;
  /** Writes what changed. Throws where it cannot; the same changes come again then. Returns how many files it wrote. */
  write(changes: Changes): Promise<number>;
  /** When it wants to be called again though nothing changes, in ms since 1970; undefined: never. */
  due?(): number | undefined;
}
