// Text tables, and a view that redraws itself in place on a terminal.

/** Lines of a table; columns whose cells are all numbers are aligned right. */
export function table(header: string[], rows: string[][]): string[] {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const numeric = header.map((_, i) => rows.every((row) => /^[\d.,]+( ms)?$/.test(row[i])));
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("  ")
      .trimEnd();
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

/** Lines at the bottom of a terminal that change in place; elsewhere plain output, less often. */
export class LiveView {
  private drawn = 0;
  private nextPlain = 0;

  constructor(
    private readonly output: NodeJS.WriteStream = process.stdout,
    private readonly plainEveryMs = 5000,
  ) {}

  /** Shows the lines in place of the ones shown before. */
  draw(lines: string[]): void {
    if (!this.output.isTTY) {
      if (Date.now() < this.nextPlain) return;
      this.nextPlain = Date.now() + this.plainEveryMs;
      this.output.write(`${lines.join("\n")}\n\n`);
      return;
    }
    const columns = this.output.columns || 80;
    const fitting = lines.map((line) => line.slice(0, columns - 1));
    this.output.write(`${this.erasing()}${fitting.join("\n")}\n`);
    this.drawn = fitting.length;
  }

  /** Writes a line that stays, above the changing ones. */
  say(line: string): void {
    this.output.write(`${this.erasing()}${line}\n`);
    this.drawn = 0;
  }

  private erasing(): string {
    return this.drawn > 0 ? `\x1b[${this.drawn}A\x1b[J` : "";
  }
}
