// Files that others read while they are written.
import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Puts the text in the file's place at once: a reader finds the old one or the new one. Throws on a full disk and the like. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
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

const MAX_FILE_NAME = 180;

/** A file name for any text, one for each. */
export function fileName(text: string): string {
  const safe = text.replace(/[^A-Za-z0-9._-]/g, (one) =>
    [...Buffer.from(one)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  );
  if (safe.length <= MAX_FILE_NAME && !safe.startsWith(".")) return safe;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return `${safe.replace(/^\.+/, "").slice(0, MAX_FILE_NAME - 20)}-${hash}`;
}
