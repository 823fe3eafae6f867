// Compares what the Java client reported of a direct and of a proxied run.
import { isDeepStrictEqual } from "node:util";

/** What became of one case. */
export interface Verdict {
  name: string;
  ok: boolean;
  /** One line for the table: the outcome, or what is wrong. */
  text: string;
  /** Both reports, where they are of interest. */
  details: string[];
}

interface Report {
  case: string;
  /** Exception class that the case must end with; null: none. */
  expected: string | null;
  exception?: string;
  message?: string;
  result?: unknown;
}

/** The report line of each case. A second line of a case is kept as wrong, by making the text no JSON. */
function byCase(lines: string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of lines.filter((text) => text.startsWith('{"case":'))) {
    const { case: name } = JSON.parse(line) as Report;
    const before = found.get(name);
    found.set(name, before ? `${before} and again ${line}` : line);
  }
  return found;
}

function summary(report: Report): string {
  const text = report.exception ? `${report.exception}: ${report.message}` : JSON.stringify(report.result ?? null);
  return text.length > 70 ? `${text.slice(0, 69)}…` : text;
}

/** What is wrong with the direct run's own report; undefined if nothing. */
function selfCheck(line: string): string | undefined {
  const report = JSON.parse(line) as Report;
  if ((report.exception ?? null) === report.expected) return undefined;
  return `direct run: expected ${report.expected ?? "a result"}, got ${summary(report)}`;
}

/**
 * One verdict for each of the wanted cases. It passes only if both runs reported it once, the direct run ended as the
 * case says, and the two lines are equal byte by byte. `prefix` comes before the names of the verdicts.
 */
export function compare(wanted: string[], direct: string[], proxied: string[], prefix = ""): Verdict[] {
  const left = byCase(direct);
  const right = byCase(proxied);
  return wanted.map((each) => {
    const name = prefix + each;
    const [one, other] = [left.get(each), right.get(each)];
    const details = [`direct:  ${one ?? "-"}`, `proxied: ${other ?? "-"}`];
    const bad = (text: string) => ({ name, ok: false, text, details });
    if (one === undefined || other === undefined) return bad(`missing in the ${one ? "proxied" : "direct"} run`);
    if (one.includes(" and again ")) return bad("reported twice");
    const wrong = selfCheck(one);
    if (wrong) return bad(wrong);
    if (one !== other) return bad("unequal");
    return { name, ok: true, text: summary(JSON.parse(one) as Report), details: [] };
  });
}

/**
 * One verdict for each case that only the proxied run has: it passes if result and extras (a case without is one that
 * must not be there) are what `expected` says, whatever the order of their fields.
 */
export function expectProxied(
  wanted: string[],
  proxied: string[],
  expected: (name: string) => { result: unknown; extras?: object } | undefined,
  prefix: string,
): Verdict[] {
  const reports = byCase(proxied);
  return wanted.map((each) => {
    const name = prefix + each;
    const line = reports.get(each);
    if (line === undefined) return { name, ok: false, text: "missing in the proxied run", details: [] };
    const report = line.includes(" and again ") ? {} : (JSON.parse(line) as Partial<Report> & { extras?: object });
    const want = expected(each);
    const ok =
      want !== undefined &&
      report.exception === undefined &&
      isDeepStrictEqual(report.result, want.result) &&
      isDeepStrictEqual(report.extras, want.extras);
    if (!ok)
      return { name, ok, text: "not as documented", details: [`want: ${JSON.stringify(want)}`, `got:  ${line}`] };
    return { name, ok, text: summary(report as Report), details: [] };
  });
}
