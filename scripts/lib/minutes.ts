import { InvalidArgumentError } from "commander";

/** A command line's number of minutes, perhaps with a part of one. */
export function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("expected a number of minutes");
  return value;
}

/** Says whether so much time has passed since now. */
export function until(time: number): () => boolean {
  const end = Date.now() + time * 60_000;
  return () => Date.now() >= end;
}
