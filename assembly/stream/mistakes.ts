import { LogLevel } from "../abi/types";
import { ConfigErrors } from "../config/errors";
import { log, logs } from "../host/log";

/** Logs the mistakes of a configuration, a line each; `what` is what came of it. */
export function logMistakes(what: string, errors: ConfigErrors): void {
  if (!logs(LogLevel.ERROR)) return;
  const messages = errors.messages;
  for (let i = 0; i < messages.length; i++) log(LogLevel.ERROR, `moe-wasm: ${what}: ${messages[i]}`);
  if (errors.full) log(LogLevel.ERROR, `moe-wasm: ${what}: more than these ${messages.length} mistakes`);
}
