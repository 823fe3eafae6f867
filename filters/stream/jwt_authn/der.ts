// The few structures of DER that keys and signatures need.
import { ByteBuffer } from "../../../assembly/bytes/buffer";
import { Bytes } from "../../../assembly/bytes/bytes";

const INTEGER: u32 = 0x02;
const BIT_STRING: u32 = 0x03;
const SEQUENCE: u32 = 0x30;

const hexOf = (text: string): Bytes => {
  const out = new ByteBuffer();
  for (let i = 0; i + 1 < text.length; i += 2) out.appendByte(U32.parseInt(text.substr(i, 2), 16));
  const bytes = Bytes.copy(out.ptr, out.length);
  out.free();
  return bytes;
};

/** SEQUENCE of rsaEncryption and NULL. */
const RSA = hexOf("300d06092a864886f70d0101010500");
/** SEQUENCE of ecPublicKey and the curve. */
const EC: Bytes[] = [
  hexOf("301306072a8648ce3d020106082a8648ce3d030107"),
  hexOf("301006072a8648ce3d020106052b81040022"),
  hexOf("301006072a8648ce3d020106052b81040023"),
];

function head(tag: u32, length: i32, to: ByteBuffer): void {
  to.appendByte(tag);
  if (length >= 0x80) to.appendByte(length < 0x100 ? 0x81 : 0x82);
  if (length >= 0x100) to.appendByte(length >> 8);
  to.appendByte(length & 0xff);
}

/** Bytes of an element with a value of so many bytes. */
function sizeOf(length: i32): i32 {
  return length + (length < 0x80 ? 2 : length < 0x100 ? 3 : 4);
}

/** Bytes at the front of a positive number that are not written. */
function leading(ptr: usize, length: i32): i32 {
  let i = 0;
  while (i < length - 1 && load<u8>(ptr + (i as usize)) == 0) i++;
  return i;
}

/** Bytes of the value of a positive INTEGER: one more where its first bit is set. */
function integerSize(ptr: usize, length: i32): i32 {
  const skip = leading(ptr, length);
  return length - skip + ((load<u8>(ptr + (skip as usize)) >> 7) as i32);
}

function integer(ptr: usize, length: i32, to: ByteBuffer): void {
  const skip = leading(ptr, length);
  const size = integerSize(ptr, length);
  head(INTEGER, size, to);
  if (size > length - skip) to.appendByte(0);
  to.append(ptr + (skip as usize), length - skip);
}

/** SubjectPublicKeyInfo of an RSA key; both numbers have a byte at least. */
export function rsaKey(n: Bytes, e: Bytes): Bytes {
  const inner = sizeOf(integerSize(n.ptr, n.length)) + sizeOf(integerSize(e.ptr, e.length));
  const out = new ByteBuffer();
  head(SEQUENCE, RSA.length + sizeOf(1 + sizeOf(inner)), out);
  out.append(RSA.ptr, RSA.length);
  head(BIT_STRING, 1 + sizeOf(inner), out);
  out.appendByte(0);
  head(SEQUENCE, inner, out);
  integer(n.ptr, n.length, out);
  integer(e.ptr, e.length, out);
  return take(out);
}

/** SubjectPublicKeyInfo of an EC key: a point that is not compressed. */
export function ecKey(curve: i32, x: Bytes, y: Bytes): Bytes {
  const algorithm = EC[curve];
  const point = 2 + x.length + y.length;
  const out = new ByteBuffer();
  head(SEQUENCE, algorithm.length + sizeOf(point), out);
  out.append(algorithm.ptr, algorithm.length);
  head(BIT_STRING, point, out);
  out.appendByte(0);
  out.appendByte(4);
  out.append(x.ptr, x.length);
  out.append(y.ptr, y.length);
  return take(out);
}

function take(out: ByteBuffer): Bytes {
  const bytes = Bytes.copy(out.ptr, out.length);
  out.free();
  return bytes;
}

/** Appends the signature of EC that two numbers of `size` bytes are, as JSON web tokens have it, as DER has it. */
export function ecSignature(ptr: usize, size: i32, to: ByteBuffer): void {
  const second = ptr + (size as usize);
  head(SEQUENCE, sizeOf(integerSize(ptr, size)) + sizeOf(integerSize(second, size)), to);
  integer(ptr, size, to);
  integer(second, size, to);
}
