// npm as users have it: `npx` and `npm run` put node_modules/.bin first, where as-pect's dependencies bring an old one.
import { delimiter } from "node:path";

/** The environment, without the folders of node_modules on the PATH. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.endsWith("node_modules/.bin"));
  return { ...process.env, PATH: folders.join(delimiter), NODE_OPTIONS: "" };
}
