/** Limits of what is decoded. A peer that passes one gets COMPRESSION_ERROR. */
export const MAX_HEADERS: i32 = 128;
/** Longest name or value, bytes. */
export const MAX_STRING: i32 = 16384;
/** Most bytes of all names and values of one block, plus `FIELD_OVERHEAD` for each. */
export const MAX_HEADER_LIST: i32 = 65536;
/** Largest dynamic table, bytes. */
export const MAX_TABLE: i32 = 65536;

/** What a field counts for beside its name and value, bytes (RFC 7541 §4.1). */
export const FIELD_OVERHEAD: i32 = 32;

/** A header field as two borrowed ranges; one object is reused for many. */
export class HeaderField {
  name: usize = 0;
  nameLength: i32 = 0;
  value: usize = 0;
  valueLength: i32 = 0;
}
