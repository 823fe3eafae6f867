// No child outlives the process that started it, however that ends.
import { type ChildProcess, spawn } from "node:child_process";

/**
 * What watches over a child: it reads a pipe whose other end is ours alone. A line says that all is well; its end without one
 * that we are gone. Signals of the terminal go to it as well, and are not for it.
 */
const WATCH = 'trap "" INT TERM HUP; read -r word && exit; kill -KILL "$1"; shift; rm -rf -- "$@"';

/**
 * Makes a child end with this process, even where this one is killed (SIGKILL) and has no time to see to it; `folders` go
 * then, too. A shell of its own watches: it ends when the child does.
 */
export function endWithUs(child: ChildProcess, ...folders: string[]): void {
  const { pid } = child;
  if (pid === undefined) return;
  const watcher = spawn("/bin/sh", ["-c", WATCH, "sh", String(pid), ...folders], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  // It holds nobody up, and one that is gone early is no failure of ours.
  watcher.unref();
  watcher.on("error", () => undefined);
  const { stdin } = watcher;
  stdin.on("error", () => undefined);
  (stdin as unknown as { unref(): void }).unref();
  child.once("exit", () => stdin.end("ended\n"));
}
