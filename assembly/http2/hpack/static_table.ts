import { Bytes } from "../../bytes/bytes";
import { HeaderField } from "./field";

/** Places in the static table that an encoder needs. */
export const enum StaticIndex {
  AUTHORITY = 1,
  METHOD = 2,
  PATH = 4,
  SCHEME_HTTP = 6,
  SCHEME_HTTPS = 7,
  STATUS = 8,
}

/** Count of fields in the static table. */
export const STATIC_COUNT: i32 = 61;

/** RFC 7541 Appendix A, from index 1 on. */
const TEXT = `:authority=
:method=GET
:method=POST
:path=/
:path=/index.html
:scheme=http
:scheme=https
:status=200
:status=204
:status=206
:status=304
:status=400
:status=404
:status=500
accept-charset=
accept-encoding=gzip, deflate
accept-language=
accept-ranges=
accept=
access-control-allow-origin=
age=
allow=
authorization=
cache-control=
content-disposition=
content-encoding=
content-language=
content-length=
content-location=
content-range=
content-type=
cookie=
date=
etag=
expect=
expires=
from=
host=
if-match=
if-modified-since=
if-none-match=
if-range=
if-unmodified-since=
last-modified=
link=
location=
max-forwards=
proxy-authenticate=
proxy-authorization=
range=
referer=
refresh=
retry-after=
server=
set-cookie=
strict-transport-security=
transfer-encoding=
user-agent=
vary=
via=
www-authenticate=
`;
const EQUALS: u32 = 0x3d;
const NEWLINE: u32 = 0x0a;

// One block of bytes and one of numbers instead of objects, which the collector would visit in every callback.
let table: Bytes = Bytes.EMPTY;
/** For each index: where its name begins in `table`, the lengths of name and value, 2 bytes each. */
const PLACES = memory.data(6 * (STATIC_COUNT + 1), 2);

function build(): void {
  table = Bytes.of(TEXT);
  let start = 0;
  let equals = 0;
  let place = PLACES + 6;
  for (let i = 0; i < table.length; i++) {
    const byte = load<u8>(table.ptr + (i as usize)) as u32;
    if (byte == EQUALS) {
      equals = i;
    } else if (byte == NEWLINE) {
      store<u16>(place, start as u16);
      store<u16>(place + 2, (equals - start) as u16);
      store<u16>(place + 4, (i - equals - 1) as u16);
      place += 6;
      start = i + 1;
    }
  }
}

/** Points `field` at the static table's field `index`, from 1 to 61; the bytes stay valid for good. */
export function lookupStatic(index: i32, field: HeaderField): void {
  if (table.length == 0) build();
  const place = PLACES + (index as usize) * 6;
  field.name = table.ptr + (load<u16>(place) as usize);
  field.nameLength = load<u16>(place + 2) as i32;
  field.value = field.name + (field.nameLength as usize) + 1;
  field.valueLength = load<u16>(place + 4) as i32;
}
