import { Context, RootContext } from "./context";

/** Makes the root context of one plugin: `id` is the host's context id. */
export type RootFactory = (id: u32) => RootContext;

/** Dead objects for which the collector runs at least, and those that a context leaves behind. */
const COLLECT_AFTER: i32 = 4096;
const OBJECTS_PER_CONTEXT: i32 = 32;

const factories = new Map<string, RootFactory>();
const roots = new Map<u32, RootContext>();
const contexts = new Map<u32, Context>();
let garbage: i32 = 0;
let turns: u32 = 0;

/** Registers the factory of the plugin's root `rootId`, as `root_id` in Envoy's configuration names it. */
export function registerRoot(rootId: string, factory: RootFactory): void {
  factories.set(rootId, factory);
}

/** The registered root ids, for messages. */
export function rootIds(): string {
  return factories.keys().join(", ");
}

export function findFactory(rootId: string): RootFactory | null {
  return factories.has(rootId) ? factories.get(rootId) : null;
}

export function findRoot(id: u32): RootContext | null {
  turns++;
  return roots.has(id) ? roots.get(id) : null;
}

/** The connection or stream with this id; null once the host has closed it. */
export function findContext(id: u32): Context | null {
  turns++;
  return contexts.has(id) ? contexts.get(id) : null;
}

/** A number that is another one in each callback of the host, for what is asked once in a callback. */
export function callback(): u32 {
  return turns;
}

export function addRoot(root: RootContext): void {
  roots.set(root.id, root);
}

export function addContext(context: Context): void {
  contexts.set(context.id, context);
}

export function removeContext(id: u32): void {
  if (!contexts.delete(id)) roots.delete(id);
  garbage += OBJECTS_PER_CONTEXT;
}

/** Notes that about so many managed objects were allocated which will die soon, so that the collector keeps up. */
export function noteGarbage(objects: i32): void {
  garbage += objects;
}

/**
 * Runs the collector when enough has died to be worth a walk over all that lives. Only as the last act of an export:
 * the `minimal` runtime does not see references in local variables.
 */
export function collectGarbage(): void {
  if (garbage < max(COLLECT_AFTER, (contexts.size * OBJECTS_PER_CONTEXT) >> 2)) return;
  garbage = 0;
  __collect();
}
