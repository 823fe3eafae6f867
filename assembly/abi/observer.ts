/** Is told when the host's callbacks begin and end. */
export abstract class CallbackObserver {
  /** A callback has begun, which `callback` has the number of; not those that are nested in it. */
  abstract onBegin(): void;

  /** It is over. An observer that was set within a callback gets no `onBegin` for it. */
  abstract onEnd(): void;
}

let observer: CallbackObserver | null = null;
/** How deep the callbacks are nested: a local reply, for one, calls the response's from within the request's. */
let depth: i32 = 0;

/** Has callbacks observed from the next one on; null: no more. */
export function observeCallbacks(by: CallbackObserver | null): void {
  observer = by;
}

/** A callback begins. */
// @ts-ignore: decorator
@inline
export function callbackBegins(): void {
  if (depth++ != 0) return;
  const by = observer;
  if (by !== null) by.onBegin();
}

/** It ends. */
// @ts-ignore: decorator
@inline
export function callbackEnds(): void {
  if (--depth != 0) return;
  const by = observer;
  if (by !== null) by.onEnd();
}
