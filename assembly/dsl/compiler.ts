import { Bytes } from "../bytes/bytes";
import { parseDuration } from "../config/duration";
import { Regex } from "../regex/regex";
import { ArithmeticNode, NegateNode, Operator, resultKind } from "./arithmetic";
import { attributeKind, attributeOf, isGroup, namesIn } from "./attributes";
import { CallNode, MatchesNode } from "./call";
import { CompareNode, Relation } from "./compare";
import { findSignature, formsOf, functionNames } from "./functions";
import { isComparable, isOrdered, Kind, kindName } from "./kind";
import { SyntaxError } from "./lexer";
import * as nodes from "./node";
import { Node } from "./node";
import { parseInteger } from "./numbers";
import { Form, Syntax } from "./syntax";
import { Value } from "./value";

const ARITHMETIC: string[] = ["+", "-", "*", "/", "%"];
const RELATIONS: string[] = ["==", "!=", "<", "<=", ">", ">="];

/** Settles the types of an expression, and makes what is evaluated of it (MOSN's pkg/cel, and its macros). */
export class Compiler {
  constructor(private readonly error: SyntaxError) {}

  /** The part as a value; after an error it is one of type NONE. */
  compile(part: Syntax): Node {
    switch (part.form) {
      case Form.INT:
        return this.integer(part, part.text);
      case Form.DOUBLE: {
        const node = new nodes.Literal(Kind.DOUBLE);
        node.value.double = parseFloat(part.text);
        return isFinite(node.value.double) ? node : this.fail(part, "the number is too large");
      }
      case Form.STRING:
        return textLiteral(part.text);
      case Form.DURATION: {
        const node = new nodes.Literal(Kind.DURATION);
        node.value.setInteger(parseDuration(part.text).nanoseconds);
        return node;
      }
      case Form.IDENTIFIER:
      case Form.SELECT:
        return this.name(part, null);
      case Form.INDEX:
        return this.index(part, null);
      case Form.CALL:
      case Form.METHOD:
        return this.call(part);
      case Form.UNARY:
        return this.unary(part);
      default:
        return this.binary(part);
    }
  }

  private fail(part: Syntax, text: string): Node {
    this.error.add(part.at, text);
    return new nodes.Literal(Kind.NONE);
  }

  private integer(part: Syntax, text: string): Node {
    const node = new nodes.Literal(Kind.INT);
    if (text.startsWith("0x")) {
      let value: u64 = 0;
      for (let i = 2; i < text.length && value <= 0x7ffffffffffffff; i++) {
        value = (value << 4) | (U32.parseInt(text.charAt(i), 16) as u64);
        if (i == text.length - 1 && value <= 0x7fffffffffffffff) {
          node.value.setInteger(value as i64);
          return node;
        }
      }
    } else {
      const digits = new Value().keepText(Bytes.of(text));
      if (parseInteger(digits, node.value) !== null) return node;
    }
    return this.fail(part, "the number is too large; an int has 64 bits");
  }

  /** The name of an attribute, as it is written; "": the part is none. */
  private pathOf(part: Syntax): string {
    if (part.form == Form.IDENTIFIER) return part.text;
    if (part.form != Form.SELECT) return "";
    const before = this.pathOf(part.parts[0]);
    return before.length == 0 ? "" : before + "." + part.text;
  }

  /** An attribute, a constant, or a key of a map that is written as a field; of such a key `other` is what `|` gives. */
  private name(part: Syntax, other: Node | null): Node {
    const path = this.pathOf(part);
    if (path == "true" || path == "false") {
      const node = new nodes.Literal(Kind.BOOL);
      node.value.setBool(path == "true");
      return node;
    }
    const kind = attributeKind(path);
    if (kind != Kind.NONE) return new nodes.AttributeNode(kind, attributeOf(path));
    if (part.form == Form.IDENTIFIER) {
      if (isGroup(path)) return this.fail(part, `"${path}" is no value; allowed: ${namesIn(path)}`);
      return this.fail(part, `unknown name "${path}"; allowed: true, false, ${namesIn("")}`);
    }
    const before = this.pathOf(part.parts[0]);
    if (before.length > 0 && isGroup(before) && attributeKind(before) == Kind.NONE) {
      const what = isGroup(path) ? "is no value" : "is unknown";
      return this.fail(part, `"${path}" ${what}; allowed: ${namesIn(isGroup(path) ? path : before)}`);
    }
    return this.field(part, other);
  }

  /** `map.key` */
  private field(part: Syntax, other: Node | null): Node {
    const map = this.compile(part.parts[0]);
    if (map.kind == Kind.MAP) return new nodes.IndexNode(map, textLiteral(part.text), other);
    return this.fail(part, `${kindName(map.kind)} has no field "${part.text}"; only maps have`);
  }

  /** `map[key]` */
  private index(part: Syntax, other: Node | null): Node {
    const container = part.parts[0];
    const path = this.pathOf(container);
    if (isGroup(path) && attributeKind(path) == Kind.NONE) {
      return this.fail(container, `"${path}" is no map; write ${path}.NAME`);
    }
    const map = this.compile(container);
    const key = this.compile(part.parts[1]);
    if (map.kind == Kind.MAP && key.kind == Kind.STRING) return new nodes.IndexNode(map, key, other);
    return this.fail(part, `no index ${kindName(map.kind)}[${kindName(key.kind)}]; allowed: map[string]`);
  }

  private unary(part: Syntax): Node {
    const inner = part.parts[0];
    // The least int has no positive counterpart.
    if (part.text == "-" && inner.form == Form.INT && !inner.text.startsWith("0x")) {
      return this.integer(part, "-" + inner.text);
    }
    const node = this.compile(inner);
    if (part.text == "!") {
      return node.kind == Kind.BOOL
        ? new nodes.NotNode(node)
        : this.fail(part, `no !${kindName(node.kind)}; allowed: !bool`);
    }
    const kind = node.kind;
    if (kind == Kind.INT || kind == Kind.DOUBLE) return new NegateNode(node);
    return this.fail(part, `no -${kindName(kind)}; allowed: -int, -double`);
  }

  private binary(part: Syntax): Node {
    if (part.text == "|") return this.pick(part, pickParts(part, []));
    const left = this.compile(part.parts[0]);
    const right = this.compile(part.parts[1]);
    const a = left.kind;
    const b = right.kind;
    const written = `${kindName(a)} ${part.text} ${kindName(b)}`;
    if (part.text == "&&" || part.text == "||") {
      if (a == Kind.BOOL && b == Kind.BOOL) return new nodes.LogicNode(part.text == "||", left, right);
      return this.fail(part, `no ${written}; allowed: bool ${part.text} bool`);
    }
    const relation = RELATIONS.indexOf(part.text);
    if (relation >= 0) {
      const defined = relation <= (Relation.NOT_EQUAL as i32) ? isComparable(a) : isOrdered(a);
      if (a == b && defined) return new CompareNode(relation as Relation, left, right);
      return this.fail(part, `no ${written}; both sides must be of the same type, and no map` + this.hint(part));
    }
    const operator = ARITHMETIC.indexOf(part.text) as Operator;
    if (resultKind(operator, a, b) != Kind.NONE) return new ArithmeticNode(operator, left, right);
    return this.fail(part, `no ${written}` + this.hint(part));
  }

  /** What to say where a text has turned out to be a duration. */
  private hint(part: Syntax): string {
    for (let i = 0; i < part.parts.length; i++) {
      if (part.parts[i].form != Form.DURATION) continue;
      return `; "${part.parts[i].text}" is a duration: write string("…") or a number for another meaning`;
    }
    return "";
  }

  /** `a | b | c`: the first that has a value. Only attributes and keys of maps can have none (MOSN's macro pick). */
  private pick(at: Syntax, parts: Syntax[]): Node {
    if (parts.length == 0) return this.fail(at, "pick needs a value");
    let out = this.compile(parts[parts.length - 1]);
    for (let i = parts.length - 2; i >= 0; i--) {
      const node = this.alternative(parts[i], out);
      if (node.kind != out.kind && node.kind != Kind.NONE && out.kind != Kind.NONE) {
        return this.fail(
          parts[i],
          `${kindName(node.kind)} | ${kindName(out.kind)}: both sides must be of the same type`,
        );
      }
      out = node;
    }
    return out;
  }

  private alternative(part: Syntax, other: Node): Node {
    if (part.form == Form.INDEX) return this.index(part, other);
    if (part.form != Form.SELECT) return this.compile(part);
    const node = this.name(part, other);
    if (node.kind != other.kind || !(node instanceof nodes.AttributeNode)) return node;
    return new nodes.PickNode(node as nodes.AttributeNode, other);
  }

  private call(part: Syntax): Node {
    const isMethod = part.form == Form.METHOD;
    const name = part.text;
    if (!isMethod && name == "conditional") return this.conditional(part);
    if (!isMethod && name == "pick") return this.pick(part, pickParts(part, []));
    if (!isMethod && name == "has") return this.has(part);
    if (isMethod && name == "matches") return this.matches(part);
    const forms = formsOf(name);
    if (forms.length == 0) return this.fail(part, `unknown function "${name}"; allowed: ${functionNames()}`);
    const operands: Node[] = [];
    const kinds: Kind[] = [];
    const written: string[] = [];
    for (let i = 0; i < part.parts.length; i++) {
      const node = this.compile(part.parts[i]);
      operands.push(node);
      kinds.push(node.kind);
      written.push(kindName(node.kind));
    }
    const signature = findSignature(name, isMethod, kinds);
    if (signature !== null) return new CallNode(signature, operands);
    const first = isMethod ? written[0] + "." : "";
    const rest = (isMethod ? written.slice(1) : written).join(", ");
    return this.fail(part, `no ${first}${name}(${rest}); allowed: ${forms}` + this.hint(part));
  }

  private conditional(part: Syntax): Node {
    if (part.parts.length != 3) return this.fail(part, "conditional needs three values: condition, if true, if false");
    const condition = this.compile(part.parts[0]);
    const yes = this.compile(part.parts[1]);
    const no = this.compile(part.parts[2]);
    if (condition.kind == Kind.BOOL && yes.kind == no.kind) return new nodes.ConditionalNode(condition, yes, no);
    const written = `${kindName(condition.kind)}, ${kindName(yes.kind)}, ${kindName(no.kind)}`;
    return this.fail(part, `no conditional(${written}); the first must be a bool, the others of the same type`);
  }

  /** `has(a.b)`: whether an attribute has a value, or a map a key. */
  private has(part: Syntax): Node {
    if (part.parts.length != 1 || part.parts[0].form != Form.SELECT) {
      return this.fail(part, "has needs an attribute, as has(request.host), or a key, as has(request.headers.a)");
    }
    const what = part.parts[0];
    const path = this.pathOf(what);
    if (isGroup(path) && attributeKind(path) == Kind.NONE) {
      const node = new nodes.Literal(Kind.BOOL);
      node.value.setBool(true);
      return node;
    }
    const kind = attributeKind(path);
    if (kind != Kind.NONE) return new nodes.HasAttribute(new nodes.AttributeNode(kind, attributeOf(path)));
    const map = this.compile(what.parts[0]);
    if (map.kind == Kind.MAP) return new nodes.HasKey(map, textLiteral(what.text));
    return this.fail(what, `${kindName(map.kind)} has no field "${what.text}"; only maps have`);
  }

  /** `"pattern".matches(text)`: MOSN has the pattern in front, unlike CEL. */
  private matches(part: Syntax): Node {
    const pattern = part.parts[0];
    if (part.parts.length != 2) return this.fail(part, 'allowed: "PATTERN".matches(string)');
    if (pattern.form != Form.STRING) {
      return this.fail(part, 'the pattern of matches stands in front, as a text: "PATTERN".matches(string)');
    }
    const text = this.compile(part.parts[1]);
    const compiled = Regex.compile(pattern.text);
    const regex = compiled.regex;
    if (regex === null) return this.fail(pattern, compiled.error);
    if (text.kind == Kind.STRING) return new MatchesNode(regex, text);
    return this.fail(part, `no string.matches(${kindName(text.kind)}); allowed: string.matches(string)`);
  }
}

function textLiteral(text: string): Node {
  const node = new nodes.Literal(Kind.STRING);
  node.value.keepText(Bytes.of(text));
  return node;
}

/** The parts of `a | b | c` and of pick(a, b, c), those of picks among them too. */
function pickParts(part: Syntax, out: Syntax[]): Syntax[] {
  for (let i = 0; i < part.parts.length; i++) {
    const inner = part.parts[i];
    const isPick = inner.form == Form.BINARY ? inner.text == "|" : inner.form == Form.CALL && inner.text == "pick";
    if (isPick && inner.parts.length > 0) pickParts(inner, out);
    else out.push(inner);
  }
  return out;
}
