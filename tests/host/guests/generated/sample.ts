/* eslint-disable @typescript-eslint/ban-ts-comment */
// @ts-nocheck AssemblyScript
// Made from ../protos/sample.proto by `npm run protos`.
import { ByteBuffer } from "../../../../assembly/bytes/buffer";
import { View } from "../../../../assembly/bytes/view";
import { MessageList, NumberList, ViewList } from "../../../../assembly/protobuf/lists";
import { Message } from "../../../../assembly/protobuf/message";
import { ProtoReader } from "../../../../assembly/protobuf/reader";
import {
  appendFixed32,
  appendFixed64,
  appendVarint,
  beginField,
  endField,
  putBytes,
  putFixed32,
  putFixed64,
  putVarint,
  zigzag32,
  zigzag64,
} from "../../../../assembly/protobuf/writer";

const view = new View();

/** moe.test.Color */
export const enum Color {
  RED = 0,
  GREEN = 1,
  BLUE = -1,
}

/** moe.test.Numbers: All kinds of single fields. */
export class Numbers extends Message {
  int32: i32 = 0;
  int64: i64 = 0;
  uint32: u32 = 0;
  uint64: u64 = 0;
  sint32: i32 = 0;
  sint64: i64 = 0;
  fixed32: u32 = 0;
  fixed64: u64 = 0;
  sfixed32: i32 = 0;
  sfixed64: i64 = 0;
  float: f32 = 0;
  double: f64 = 0;
  bool: bool = false;
  color: i32 = 0;
  readonly string: View = new View();
  readonly bytes: View = new View();

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x08:
        this.int32 = reader.int32();
        return true;
      case 0x10:
        this.int64 = reader.int64();
        return true;
      case 0x18:
        this.uint32 = reader.uint32();
        return true;
      case 0x20:
        this.uint64 = reader.uint64();
        return true;
      case 0x28:
        this.sint32 = reader.sint32();
        return true;
      case 0x30:
        this.sint64 = reader.sint64();
        return true;
      case 0x3d:
        this.fixed32 = reader.fixed32();
        return true;
      case 0x41:
        this.fixed64 = reader.fixed64();
        return true;
      case 0x4d:
        this.sfixed32 = reader.sfixed32();
        return true;
      case 0x51:
        this.sfixed64 = reader.sfixed64();
        return true;
      case 0x5d:
        this.float = reader.float();
        return true;
      case 0x61:
        this.double = reader.double();
        return true;
      case 0x68:
        this.bool = reader.bool();
        return true;
      case 0x70:
        this.color = reader.int32();
        return true;
      case 0x7a:
        reader.string(this.string);
        return true;
      case 0x82:
        reader.bytes(this.bytes);
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.int32 != 0) putVarint(out, 0x08, this.int32 as u64);
    if (this.int64 != 0) putVarint(out, 0x10, this.int64 as u64);
    if (this.uint32 != 0) putVarint(out, 0x18, this.uint32 as u64);
    if (this.uint64 != 0) putVarint(out, 0x20, this.uint64);
    if (this.sint32 != 0) putVarint(out, 0x28, zigzag32(this.sint32));
    if (this.sint64 != 0) putVarint(out, 0x30, zigzag64(this.sint64));
    if (this.fixed32 != 0) putFixed32(out, 0x3d, this.fixed32);
    if (this.fixed64 != 0) putFixed64(out, 0x41, this.fixed64);
    if (this.sfixed32 != 0) putFixed32(out, 0x4d, this.sfixed32);
    if (this.sfixed64 != 0) putFixed64(out, 0x51, this.sfixed64);
    if (reinterpret<u32>(this.float) != 0) putFixed32(out, 0x5d, reinterpret<u32>(this.float));
    if (reinterpret<u64>(this.double) != 0) putFixed64(out, 0x61, reinterpret<u64>(this.double));
    if (this.bool) putVarint(out, 0x68, this.bool as u64);
    if (this.color != 0) putVarint(out, 0x70, this.color as u64);
    if (this.string.length != 0) putBytes(out, 0x7a, this.string);
    if (this.bytes.length != 0) putBytes(out, 0x82, this.bytes);
  }

  clear(): void {
    this.int32 = 0;
    this.int64 = 0;
    this.uint32 = 0;
    this.uint64 = 0;
    this.sint32 = 0;
    this.sint64 = 0;
    this.fixed32 = 0;
    this.fixed64 = 0;
    this.sfixed32 = 0;
    this.sfixed64 = 0;
    this.float = 0;
    this.double = 0;
    this.bool = false;
    this.color = 0;
    this.string.set(0, 0);
    this.bytes.set(0, 0);
  }

  free(): void {}
}

/** moe.test.Lists: The same repeated. */
export class Lists extends Message {
  readonly int32: NumberList<i32> = new NumberList<i32>();
  readonly int64: NumberList<i64> = new NumberList<i64>();
  readonly uint32: NumberList<u32> = new NumberList<u32>();
  readonly uint64: NumberList<u64> = new NumberList<u64>();
  readonly sint32: NumberList<i32> = new NumberList<i32>();
  readonly sint64: NumberList<i64> = new NumberList<i64>();
  readonly fixed32: NumberList<u32> = new NumberList<u32>();
  readonly fixed64: NumberList<u64> = new NumberList<u64>();
  readonly sfixed32: NumberList<i32> = new NumberList<i32>();
  readonly sfixed64: NumberList<i64> = new NumberList<i64>();
  readonly float: NumberList<f32> = new NumberList<f32>();
  readonly double: NumberList<f64> = new NumberList<f64>();
  readonly bool: NumberList<bool> = new NumberList<bool>();
  readonly color: NumberList<i32> = new NumberList<i32>();
  readonly string: ViewList = new ViewList();
  readonly bytes: ViewList = new ViewList();

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x0a: {
        const outer = reader.enter();
        while (reader.more) this.int32.add(reader.int32());
        reader.leave(outer);
        return true;
      }
      case 0x08:
        this.int32.add(reader.int32());
        return true;
      case 0x12: {
        const outer = reader.enter();
        while (reader.more) this.int64.add(reader.int64());
        reader.leave(outer);
        return true;
      }
      case 0x10:
        this.int64.add(reader.int64());
        return true;
      case 0x1a: {
        const outer = reader.enter();
        while (reader.more) this.uint32.add(reader.uint32());
        reader.leave(outer);
        return true;
      }
      case 0x18:
        this.uint32.add(reader.uint32());
        return true;
      case 0x22: {
        const outer = reader.enter();
        while (reader.more) this.uint64.add(reader.uint64());
        reader.leave(outer);
        return true;
      }
      case 0x20:
        this.uint64.add(reader.uint64());
        return true;
      case 0x2a: {
        const outer = reader.enter();
        while (reader.more) this.sint32.add(reader.sint32());
        reader.leave(outer);
        return true;
      }
      case 0x28:
        this.sint32.add(reader.sint32());
        return true;
      case 0x32: {
        const outer = reader.enter();
        while (reader.more) this.sint64.add(reader.sint64());
        reader.leave(outer);
        return true;
      }
      case 0x30:
        this.sint64.add(reader.sint64());
        return true;
      case 0x3a: {
        const outer = reader.enter();
        while (reader.more) this.fixed32.add(reader.fixed32());
        reader.leave(outer);
        return true;
      }
      case 0x3d:
        this.fixed32.add(reader.fixed32());
        return true;
      case 0x42: {
        const outer = reader.enter();
        while (reader.more) this.fixed64.add(reader.fixed64());
        reader.leave(outer);
        return true;
      }
      case 0x41:
        this.fixed64.add(reader.fixed64());
        return true;
      case 0x4a: {
        const outer = reader.enter();
        while (reader.more) this.sfixed32.add(reader.sfixed32());
        reader.leave(outer);
        return true;
      }
      case 0x4d:
        this.sfixed32.add(reader.sfixed32());
        return true;
      case 0x52: {
        const outer = reader.enter();
        while (reader.more) this.sfixed64.add(reader.sfixed64());
        reader.leave(outer);
        return true;
      }
      case 0x51:
        this.sfixed64.add(reader.sfixed64());
        return true;
      case 0x5a: {
        const outer = reader.enter();
        while (reader.more) this.float.add(reader.float());
        reader.leave(outer);
        return true;
      }
      case 0x5d:
        this.float.add(reader.float());
        return true;
      case 0x62: {
        const outer = reader.enter();
        while (reader.more) this.double.add(reader.double());
        reader.leave(outer);
        return true;
      }
      case 0x61:
        this.double.add(reader.double());
        return true;
      case 0x6a: {
        const outer = reader.enter();
        while (reader.more) this.bool.add(reader.bool());
        reader.leave(outer);
        return true;
      }
      case 0x68:
        this.bool.add(reader.bool());
        return true;
      case 0x72: {
        const outer = reader.enter();
        while (reader.more) this.color.add(reader.int32());
        reader.leave(outer);
        return true;
      }
      case 0x70:
        this.color.add(reader.int32());
        return true;
      case 0x7a:
        reader.string(view);
        this.string.add(view.ptr, view.length);
        return true;
      case 0xfffffffa:
        reader.bytes(view);
        this.bytes.add(view.ptr, view.length);
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.int32.length != 0) {
      const start = beginField(out, 0x0a);
      for (let i = 0; i < this.int32.length; i++) appendVarint(out, this.int32.get(i) as u64);
      endField(out, start);
    }
    if (this.int64.length != 0) {
      const start = beginField(out, 0x12);
      for (let i = 0; i < this.int64.length; i++) appendVarint(out, this.int64.get(i) as u64);
      endField(out, start);
    }
    if (this.uint32.length != 0) {
      const start = beginField(out, 0x1a);
      for (let i = 0; i < this.uint32.length; i++) appendVarint(out, this.uint32.get(i) as u64);
      endField(out, start);
    }
    if (this.uint64.length != 0) {
      const start = beginField(out, 0x22);
      for (let i = 0; i < this.uint64.length; i++) appendVarint(out, this.uint64.get(i));
      endField(out, start);
    }
    if (this.sint32.length != 0) {
      const start = beginField(out, 0x2a);
      for (let i = 0; i < this.sint32.length; i++) appendVarint(out, zigzag32(this.sint32.get(i)));
      endField(out, start);
    }
    for (let i = 0; i < this.sint64.length; i++) putVarint(out, 0x30, zigzag64(this.sint64.get(i)));
    if (this.fixed32.length != 0) {
      const start = beginField(out, 0x3a);
      for (let i = 0; i < this.fixed32.length; i++) appendFixed32(out, this.fixed32.get(i));
      endField(out, start);
    }
    for (let i = 0; i < this.fixed64.length; i++) putFixed64(out, 0x41, this.fixed64.get(i));
    if (this.sfixed32.length != 0) {
      const start = beginField(out, 0x4a);
      for (let i = 0; i < this.sfixed32.length; i++) appendFixed32(out, this.sfixed32.get(i));
      endField(out, start);
    }
    if (this.sfixed64.length != 0) {
      const start = beginField(out, 0x52);
      for (let i = 0; i < this.sfixed64.length; i++) appendFixed64(out, this.sfixed64.get(i));
      endField(out, start);
    }
    if (this.float.length != 0) {
      const start = beginField(out, 0x5a);
      for (let i = 0; i < this.float.length; i++) appendFixed32(out, reinterpret<u32>(this.float.get(i)));
      endField(out, start);
    }
    if (this.double.length != 0) {
      const start = beginField(out, 0x62);
      for (let i = 0; i < this.double.length; i++) appendFixed64(out, reinterpret<u64>(this.double.get(i)));
      endField(out, start);
    }
    if (this.bool.length != 0) {
      const start = beginField(out, 0x6a);
      for (let i = 0; i < this.bool.length; i++) appendVarint(out, this.bool.get(i) as u64);
      endField(out, start);
    }
    if (this.color.length != 0) {
      const start = beginField(out, 0x72);
      for (let i = 0; i < this.color.length; i++) appendVarint(out, this.color.get(i) as u64);
      endField(out, start);
    }
    for (let i = 0; i < this.string.length; i++) {
      this.string.get(i, view);
      putBytes(out, 0x7a, view);
    }
    for (let i = 0; i < this.bytes.length; i++) {
      this.bytes.get(i, view);
      putBytes(out, 0xfffffffa, view);
    }
  }

  clear(): void {
    this.int32.clear();
    this.int64.clear();
    this.uint32.clear();
    this.uint64.clear();
    this.sint32.clear();
    this.sint64.clear();
    this.fixed32.clear();
    this.fixed64.clear();
    this.sfixed32.clear();
    this.sfixed64.clear();
    this.float.clear();
    this.double.clear();
    this.bool.clear();
    this.color.clear();
    this.string.clear();
    this.bytes.clear();
  }

  free(): void {
    this.int32.free();
    this.int64.free();
    this.uint32.free();
    this.uint64.free();
    this.sint32.free();
    this.sint64.free();
    this.fixed32.free();
    this.fixed64.free();
    this.sfixed32.free();
    this.sfixed64.free();
    this.float.free();
    this.double.free();
    this.bool.free();
    this.color.free();
    this.string.free();
    this.bytes.free();
  }
}

/** moe.test.Sample: Presence, oneofs and nesting. */
export class Sample extends Message {
  hasNumbers: bool = false;
  private _numbers: Numbers | null = null;
  hasLists: bool = false;
  private _lists: Lists | null = null;
  hasChild: bool = false;
  private _child: Sample | null = null;
  readonly children: MessageList<Sample> = new MessageList<Sample>();
  readonly leaves: MessageList<SampleLeaf> = new MessageList<SampleLeaf>();
  maybeNumber: u32 = 0;
  hasMaybeNumber: bool = false;
  readonly maybeText: View = new View();
  hasMaybeText: bool = false;
  readonly text: View = new View();
  number: i64 = 0;
  private _leaf: SampleLeaf | null = null;
  flag: bool = false;
  private _inner: Sample | null = null;
  /** Which there is: a SampleKind. */
  kind: i32 = 0;

  get numbers(): Numbers {
    const known = this._numbers;
    if (known !== null) return known;
    const made = new Numbers();
    this._numbers = made;
    return made;
  }

  get lists(): Lists {
    const known = this._lists;
    if (known !== null) return known;
    const made = new Lists();
    this._lists = made;
    return made;
  }

  get child(): Sample {
    const known = this._child;
    if (known !== null) return known;
    const made = new Sample();
    this._child = made;
    return made;
  }

  get leaf(): SampleLeaf {
    const known = this._leaf;
    if (known !== null) return known;
    const made = new SampleLeaf();
    this._leaf = made;
    return made;
  }

  get inner(): Sample {
    const known = this._inner;
    if (known !== null) return known;
    const made = new Sample();
    this._inner = made;
    return made;
  }

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x0a:
        this.hasNumbers = true;
        this.numbers.decodeField(reader);
        return true;
      case 0x12:
        this.hasLists = true;
        this.lists.decodeField(reader);
        return true;
      case 0x1a:
        this.hasChild = true;
        this.child.decodeField(reader);
        return true;
      case 0x22:
        this.children.add().decodeField(reader);
        return true;
      case 0x2a:
        this.leaves.add().decodeField(reader);
        return true;
      case 0x30:
        this.hasMaybeNumber = true;
        this.maybeNumber = reader.uint32();
        return true;
      case 0x3a:
        this.hasMaybeText = true;
        reader.string(this.maybeText);
        return true;
      case 0x42:
        this.kind = 8;
        reader.string(this.text);
        return true;
      case 0x48:
        this.kind = 9;
        this.number = reader.int64();
        return true;
      case 0x52:
        if (this.kind != 10) this.leaf.clear();
        this.kind = 10;
        this.leaf.decodeField(reader);
        return true;
      case 0x58:
        this.kind = 11;
        this.flag = reader.bool();
        return true;
      case 0x3e82:
        if (this.kind != 2000) this.inner.clear();
        this.kind = 2000;
        this.inner.decodeField(reader);
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.hasNumbers) this.numbers.encodeField(out, 0x0a);
    if (this.hasLists) this.lists.encodeField(out, 0x12);
    if (this.hasChild) this.child.encodeField(out, 0x1a);
    for (let i = 0; i < this.children.length; i++) {
      const item = this.children.get(i);
      if (item !== null) item.encodeField(out, 0x22);
    }
    for (let i = 0; i < this.leaves.length; i++) {
      const item = this.leaves.get(i);
      if (item !== null) item.encodeField(out, 0x2a);
    }
    if (this.hasMaybeNumber) putVarint(out, 0x30, this.maybeNumber as u64);
    if (this.hasMaybeText) putBytes(out, 0x3a, this.maybeText);
    if (this.kind == 8) putBytes(out, 0x42, this.text);
    if (this.kind == 9) putVarint(out, 0x48, this.number as u64);
    if (this.kind == 10) this.leaf.encodeField(out, 0x52);
    if (this.kind == 11) putVarint(out, 0x58, this.flag as u64);
    if (this.kind == 2000) this.inner.encodeField(out, 0x3e82);
  }

  clear(): void {
    this.kind = 0;
    this.hasNumbers = false;
    const numbers = this._numbers;
    if (numbers !== null) numbers.clear();
    this.hasLists = false;
    const lists = this._lists;
    if (lists !== null) lists.clear();
    this.hasChild = false;
    const child = this._child;
    if (child !== null) {
      child.free();
      this._child = null;
    }
    this.children.free();
    this.leaves.clear();
    this.hasMaybeNumber = false;
    this.maybeNumber = 0;
    this.hasMaybeText = false;
    this.maybeText.set(0, 0);
    this.text.set(0, 0);
    this.number = 0;
    const leaf = this._leaf;
    if (leaf !== null) leaf.clear();
    this.flag = false;
    const inner = this._inner;
    if (inner !== null) {
      inner.free();
      this._inner = null;
    }
  }

  free(): void {
    const numbers = this._numbers;
    if (numbers !== null) numbers.free();
    const lists = this._lists;
    if (lists !== null) lists.free();
    const child = this._child;
    if (child !== null) child.free();
    this.children.free();
    this.leaves.free();
    const leaf = this._leaf;
    if (leaf !== null) leaf.free();
    const inner = this._inner;
    if (inner !== null) inner.free();
  }
}

/** Members of the oneof moe.test.Sample.kind. */
export const enum SampleKind {
  NONE = 0,
  TEXT = 8,
  NUMBER = 9,
  LEAF = 10,
  FLAG = 11,
  INNER = 2000,
}

/** moe.test.Sample.Leaf */
export class SampleLeaf extends Message {
  readonly name: View = new View();
  weight: i32 = 0;

  protected take(reader: ProtoReader): bool {
    switch (reader.tag) {
      case 0x0a:
        reader.string(this.name);
        return true;
      case 0x10:
        this.weight = reader.sint32();
        return true;
      default:
        return false;
    }
  }

  encode(out: ByteBuffer): void {
    if (this.name.length != 0) putBytes(out, 0x0a, this.name);
    if (this.weight != 0) putVarint(out, 0x10, zigzag32(this.weight));
  }

  clear(): void {
    this.name.set(0, 0);
    this.weight = 0;
  }

  free(): void {}
}
