import { proxy_log } from "./imports";
import { LogLevel } from "./types";

/**
 * What AssemblyScript calls where it would throw (`--use abort=…`): our code never does, so a line of this in the log
 * is a defect. It names the place and traps, which kills the VM; `failure_policy: FAIL_RELOAD` starts a new one.
 */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const what = message === null ? "abort" : message;
  const where = file === null ? "" : file;
  const text = String.UTF8.encode(`moe-wasm: ${what} at ${where}:${line}:${column}`);
  proxy_log(LogLevel.CRITICAL, changetype<usize>(text), text.byteLength);
  unreachable();
}
