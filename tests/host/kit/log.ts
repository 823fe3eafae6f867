import { LogLevel } from "./abi.ts";

export interface LogLine {
  level: LogLevel;
  text: string;
  worker: number;
}

/** Envoy's wasm logger: keeps what is at or above its level. */
export class LogSink {
  level: LogLevel = LogLevel.info;
  readonly lines: LogLine[] = [];
  /** Messages that the module sent below the level: work for nothing. */
  belowLevel = 0;

  write(level: LogLevel, text: string, worker: number): void {
    if (level < this.level) this.belowLevel++;
    else this.lines.push({ level, text, worker });
  }

  /** Lines as "level text", those of at least `level`. */
  text(level = LogLevel.trace): string[] {
    return this.lines.filter((line) => line.level >= level).map((line) => `${LogLevel[line.level]} ${line.text}`);
  }
}
