import { CharClass, MAX_RUNE, perlClass, posixClass } from "./class";
import { Assert, Node, NodeKind } from "./node";
import { isAlphanumeric } from "../bytes/ascii";
import { NO_RUNE, Scanner } from "./scanner";

/** Deepest nesting of groups. */
const MAX_DEPTH: i32 = 100;
/** Largest count in braces, as in RE2. */
const MAX_REPEAT: i32 = 1000;
/** Most capturing groups. */
const MAX_GROUPS: i32 = 99;

/**
 * Parses RE2's syntax (as Go's regexp/syntax with the Perl flags) but for Unicode classes and case folding beyond
 * ASCII, which are refused, as is what RE2 has not (backreferences, look-around).
 */
export class Parser {
  /** Names of the groups by number, from 1; "" for the whole match and for groups without a name. */
  readonly names: string[] = [""];
  private foldCase: bool = false;
  private multiline: bool = false;
  private dotAll: bool = false;
  private ungreedy: bool = false;

  constructor(private readonly scanner: Scanner) {}

  /** The whole pattern; of no use when the scanner has an error afterwards. */
  pattern(): Node {
    const node = this.alternation(0);
    if (!this.scanner.done) this.scanner.fail(this.scanner.at, "unexpected )");
    return node;
  }

  private alternation(depth: i32): Node {
    const first = this.concatenation(depth);
    if (this.scanner.peek() != 0x7c) return first;
    const node = new Node(NodeKind.ALTERNATE);
    node.children.push(first);
    while (this.scanner.take("|")) node.children.push(this.concatenation(depth));
    return node;
  }

  private concatenation(depth: i32): Node {
    const node = new Node(NodeKind.CONCAT);
    const scanner = this.scanner;
    while (!scanner.done && scanner.peek() != 0x7c && scanner.peek() != 0x29) {
      const from = scanner.at;
      const quoted = scanner.take("\\Q");
      if (quoted) this.quoted(node);
      else {
        const part = this.atom(depth);
        if (part === null) this.refuseRepeat();
        else node.children.push(this.repeated(part, from));
      }
    }
    return node;
  }

  /** The text after \Q, literally, to \E or the end. */
  private quoted(into: Node): void {
    const scanner = this.scanner;
    while (!scanner.done && !scanner.take("\\E")) {
      const from = scanner.at;
      const part = this.literal(scanner.rune(), from);
      // A repetition after \E applies to the last character alone.
      const ends = scanner.take("\\E");
      into.children.push(ends ? this.repeated(part, from) : part);
      if (ends) return;
    }
  }

  private refuseRepeat(): void {
    const scanner = this.scanner;
    const at = scanner.at;
    if (this.repetition() !== null) scanner.fail(at, "nothing to repeat");
  }

  private repeated(part: Node, from: i32): Node {
    const at = this.scanner.at;
    const node = this.repetition();
    if (node === null) return part;
    node.children.push(part);
    const next = this.scanner.at;
    if (this.repetition() !== null) this.scanner.fail(at, "nested repetition operators");
    this.scanner.at = max(this.scanner.at, next);
    return node;
  }

  /** Steps over *, +, ?, {n}, {n,}, {n,m} and the ? after it; null when there is none: a brace may be literal. */
  private repetition(): Node | null {
    const scanner = this.scanner;
    const node = new Node(NodeKind.REPEAT);
    node.most = -1;
    if (scanner.take("*")) node.least = 0;
    else if (scanner.take("+")) node.least = 1;
    else if (scanner.take("?")) node.most = 1;
    else if (!this.counts(node)) return null;
    node.lazy = scanner.take("?") != this.ungreedy;
    return node;
  }

  private counts(node: Node): bool {
    const scanner = this.scanner;
    const from = scanner.at;
    if (!scanner.take("{")) return false;
    node.least = scanner.decimal();
    node.most = node.least;
    if (node.least >= 0 && scanner.take(",")) node.most = scanner.peek() == 0x7d ? -1 : this.upperCount();
    if (node.least < 0 || node.most < -1 || !scanner.take("}")) {
      scanner.at = from;
      return false;
    }
    if (node.least > MAX_REPEAT || node.most > MAX_REPEAT || (node.most >= 0 && node.most < node.least)) {
      scanner.fail(from, `repeat count beyond ${MAX_REPEAT} or backwards`);
    }
    return true;
  }

  /** The count before "}"; -2 when there is none. */
  private upperCount(): i32 {
    const count = this.scanner.decimal();
    return count < 0 ? -2 : count;
  }

  /** One part without its repetition; null for what is none: flags alone, or a repetition. */
  private atom(depth: i32): Node | null {
    const scanner = this.scanner;
    const from = scanner.at;
    const c = scanner.peek();
    if (c == 0x28) return this.group(depth + 1);
    if (c == 0x5b) return this.bracket();
    if (c == 0x5c) return this.escape();
    if (c == 0x2a || c == 0x2b || c == 0x3f) return null;
    if (c == 0x7b && this.isCount()) return null;
    const rune = scanner.rune();
    if (rune == 0x2e) return new Node(this.dotAll ? NodeKind.ANY : NodeKind.ANY_NOT_NEWLINE);
    if (rune == 0x5e) return Node.of(NodeKind.ASSERT, this.multiline ? Assert.LINE_START : Assert.TEXT_START);
    if (rune == 0x24) return Node.of(NodeKind.ASSERT, this.multiline ? Assert.LINE_END : Assert.TEXT_END);
    return this.literal(rune, from);
  }

  private isCount(): bool {
    const from = this.scanner.at;
    const found = this.counts(new Node(NodeKind.REPEAT));
    if (this.scanner.error.length == 0) this.scanner.at = from;
    return found;
  }

  private literal(rune: u32, from: i32): Node {
    if (!this.foldCase) return Node.of(NodeKind.LITERAL, rune);
    const set = new CharClass();
    if (!set.addFolded(rune, rune)) this.refuseFold(from);
    set.normalise();
    return set.lows.length > 1 ? this.classNode(set) : Node.of(NodeKind.LITERAL, rune);
  }

  private refuseFold(from: i32): void {
    this.scanner.fail(from, "case-insensitive matching beyond ASCII is not supported");
  }

  private classNode(set: CharClass): Node {
    const node = new Node(NodeKind.CLASS);
    node.set = set;
    return node;
  }

  private group(depth: i32): Node | null {
    const scanner = this.scanner;
    const from = scanner.at++;
    if (depth > MAX_DEPTH) scanner.fail(from, `groups nested deeper than ${MAX_DEPTH}`);
    const foldCase = this.foldCase;
    const multiline = this.multiline;
    const dotAll = this.dotAll;
    const ungreedy = this.ungreedy;
    let number = 0;
    if (scanner.peek() != 0x3f) number = this.capture("", from);
    else if (scanner.take("?P<") || (scanner.peek(1) == 0x3c && scanner.peek(2) != 0x3d && scanner.peek(2) != 0x21)) {
      scanner.take("?<");
      number = this.named(from);
    } else if (!this.flags(from)) return null;
    const inner = this.alternation(depth);
    if (!scanner.take(")")) scanner.fail(from, "missing ) for the group");
    this.foldCase = foldCase;
    this.multiline = multiline;
    this.dotAll = dotAll;
    this.ungreedy = ungreedy;
    if (number == 0) return inner;
    const node = Node.of(NodeKind.CAPTURE, number);
    node.children.push(inner);
    return node;
  }

  private capture(name: string, from: i32): i32 {
    if (this.names.length > MAX_GROUPS) this.scanner.fail(from, `more than ${MAX_GROUPS} groups`);
    this.names.push(name);
    return this.names.length - 1;
  }

  private named(from: i32): i32 {
    const scanner = this.scanner;
    const start = scanner.at;
    while (isAlphanumeric(scanner.peek()) || scanner.peek() == 0x5f) scanner.at++;
    const name = scanner.text(start, scanner.at);
    if (name.length == 0 || !scanner.take(">")) scanner.fail(from, "malformed group name");
    else if (this.names.includes(name)) scanner.fail(from, "duplicate group name");
    return this.capture(name, from);
  }

  /** Steps over "?flags" and sets them. True when a group follows (":"), false when they stand alone (")"). */
  private flags(from: i32): bool {
    const scanner = this.scanner;
    scanner.at++;
    const start = scanner.at;
    let on = true;
    let signed = false;
    for (; !scanner.done; scanner.at++) {
      const c = scanner.peek();
      if (c == 0x69) this.foldCase = on;
      else if (c == 0x6d) this.multiline = on;
      else if (c == 0x73) this.dotAll = on;
      else if (c == 0x55) this.ungreedy = on;
      else if (c == 0x2d && !signed) {
        on = false;
        signed = true;
      } else break;
    }
    const valid = scanner.peek(-1) != 0x2d;
    if (valid && scanner.take(":")) return true;
    if (valid && scanner.at > start && scanner.take(")")) return false;
    const look = scanner.peek();
    const around = look == 0x3d || look == 0x21 || look == 0x3c;
    scanner.fail(from, around ? "look-around is not supported" : "unknown group flags");
    return false;
  }

  private escape(): Node {
    const scanner = this.scanner;
    const from = scanner.at;
    const c = scanner.peek(1);
    const set = this.perl();
    if (set !== null) return this.classNode(set);
    let kind: i32 = -1;
    if (c == 0x41) kind = Assert.TEXT_START;
    else if (c == 0x7a) kind = Assert.TEXT_END;
    else if (c == 0x62) kind = Assert.WORD_BOUNDARY;
    else if (c == 0x42) kind = Assert.NOT_WORD_BOUNDARY;
    if (kind >= 0) {
      scanner.at += 2;
      return Node.of(NodeKind.ASSERT, kind as u32);
    }
    const rune = scanner.escapedLiteral();
    return rune == NO_RUNE ? new Node(NodeKind.EMPTY) : this.literal(rune, from);
  }

  /** Steps over \d, \s, \w or their negation; null when there is none. */
  private perl(): CharClass | null {
    const scanner = this.scanner;
    const c = scanner.peek(1);
    const lower = c | 0x20;
    if (scanner.peek() != 0x5c || (lower != 0x64 && lower != 0x73 && lower != 0x77)) return null;
    scanner.at += 2;
    return this.signed(perlClass(lower), c != lower);
  }

  private signed(set: CharClass, negate: bool): CharClass {
    let folded = set;
    if (this.foldCase) {
      folded = new CharClass();
      for (let i = 0; i < set.lows.length; i++) folded.addFolded(set.lows[i], set.highs[i]);
    }
    return negate ? folded.negated() : folded;
  }

  private bracket(): Node {
    const scanner = this.scanner;
    const from = scanner.at++;
    const negate = scanner.take("^");
    const set = new CharClass();
    let first = true;
    while (!scanner.done && (first || scanner.peek() != 0x5d)) {
      first = false;
      const named = this.perl();
      if (named !== null) set.addAll(named);
      else if (!this.posix(set)) this.range(set);
    }
    if (!scanner.take("]")) scanner.fail(from, "missing ] for the class");
    return this.classNode(negate ? set.negated() : set);
  }

  /** Steps over [:name:] or [:^name:]. */
  private posix(set: CharClass): bool {
    const scanner = this.scanner;
    const from = scanner.at;
    if (scanner.peek() != 0x5b || scanner.peek(1) != 0x3a) return false;
    let end = from + 2;
    while (end + 1 < scanner.length && !(scanner.peek(end - from) == 0x3a && scanner.peek(end + 1 - from) == 0x5d))
      end++;
    if (end + 1 >= scanner.length) return false;
    const negate = scanner.peek(2) == 0x5e;
    const named = posixClass(scanner.text(from + (negate ? 3 : 2), end));
    if (named === null) scanner.fail(from, "unknown class name");
    else {
      set.addAll(this.signed(named, negate));
      scanner.at = end + 2;
    }
    return true;
  }

  /** One character of a class, or two with "-" between. */
  private range(set: CharClass): void {
    const scanner = this.scanner;
    const from = scanner.at;
    const low = this.classRune();
    let high = low;
    if (scanner.peek() == 0x2d && scanner.peek(1) != 0x5d && scanner.at + 1 < scanner.length) {
      scanner.at++;
      high = this.classRune();
    }
    if (scanner.error.length > 0) return;
    if (high < low) return scanner.fail(from, "backward range in the class");
    if (!this.foldCase) set.add(low, high);
    else if (!set.addFolded(low, min(high, MAX_RUNE))) this.refuseFold(from);
  }

  private classRune(): u32 {
    if (this.scanner.done) return NO_RUNE;
    return this.scanner.peek() == 0x5c ? this.scanner.escapedLiteral() : this.scanner.rune();
  }
}
