// Files that others read while they are written.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Where a file's new text is until it takes the file's place. */
export const unfinished = (path: string): string => `${path}.${process.pid}.tmp`;

/** Puts the text in the file's place at once: a reader finds the old one or the new one. Throws on a full disk and the like. */
export function replaceFile(path: string, text: string): void {
  const temporary = unfinished(path);
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The same, where the folder may be missing. */
export function createFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, text);
}
