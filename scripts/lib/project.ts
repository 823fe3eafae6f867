// The project that a command works on: the folder with an asconfig.json that the command runs in.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The nearest folder with an asconfig.json, from the working directory upwards; undefined: there is none. */
export function projectFolder(): string | undefined {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "asconfig.json"))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The same; throws with what to do where there is none. */
export function needProject(): string {
  const folder = projectFolder();
  if (folder === undefined) {
    throw new Error(
      "No folder from here upwards has an asconfig.json: `moe new project NAME` begins a project that has.",
    );
  }
  return folder;
}
