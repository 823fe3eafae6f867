// What a conversion reports: each thing of the MOSN file that means something else, or nothing, in the result.

/**
 * How much a finding matters: `lost` means behaviour that the result does not have, `changed` the nearest right thing, and
 * `note` something that is not needed here or lies elsewhere.
 */
export type Level = "lost" | "changed" | "note";

export interface Finding {
  level: Level;
  /** Where in the MOSN file, e.g. `servers[0].listeners[1].stream_filters[0]`. */
  path: string;
  /** What the file says there. */
  what: string;
  /** Why it is different here. */
  why: string;
  /** What the operator can do about it. */
  action?: string;
}

/** A MOSN file that cannot be read: every mistake in it, a line each. */
export class BrokenInput extends Error {}

export class Report {
  readonly findings: Finding[] = [];
  /** Mistakes in the input itself: `path: what is wrong`. */
  readonly mistakes: string[] = [];
  /** Comments for objects of the result, by object: the numbers of the findings that concern it. */
  readonly comments = new Map<object, Finding[]>();

  /** Adds a finding; `beside` is the object of the result that gets it as a comment. */
  add(finding: Finding, beside?: object): void {
    // What RPC and HTTP chains of one listener both say is told once.
    const same = this.findings.find(
      (one) => one.path === finding.path && one.what === finding.what && one.why === finding.why,
    );
    const told = same ?? finding;
    if (!same) this.findings.push(finding);
    if (beside) this.comments.set(beside, [...(this.comments.get(beside) ?? []), told]);
  }

  lost(path: string, what: string, why: string, action?: string, beside?: object): void {
    this.add({ level: "lost", path, what, why, action }, beside);
  }

  changed(path: string, what: string, why: string, action?: string, beside?: object): void {
    this.add({ level: "changed", path, what, why, action }, beside);
  }

  note(path: string, what: string, why: string, action?: string): void {
    this.add({ level: "note", path, what, why, action });
  }

  mistake(path: string, what: string): void {
    const line = `${path || "the file"}: ${what}`;
    if (!this.mistakes.includes(line)) this.mistakes.push(line);
  }

  /** The number of a finding in the report, from 1. */
  numberOf(finding: Finding): number {
    return this.findings.indexOf(finding) + 1;
  }

  count(level: Level): number {
    return this.findings.filter((finding) => finding.level === level).length;
  }

  /** The numbered report for a terminal. */
  text(): string {
    return this.findings
      .map((finding) => {
        const { level, path, what, why, action } = finding;
        const lines = [`${this.numberOf(finding)}. ${level}: ${path}: ${what}`, `   ${why}`];
        if (action) lines.push(`   → ${action}`);
        return lines.join("\n");
      })
      .join("\n");
  }
}
