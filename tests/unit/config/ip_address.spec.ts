import { Bytes } from "../../../assembly/bytes/bytes";
import { IpAddress } from "../../../assembly/config/ip_address";

const address = new IpAddress();

/** The address as a hexadecimal number, "4:" in front of an IPv4 address; "none". */
function text(found: bool): string {
  if (!found) return "none";
  if (address.isV4) return "4:" + address.low.toString(16);
  return address.high == 0 ? address.low.toString(16) : address.high.toString(16) + "_" + address.low.toString(16);
}

function parsed(from: string): string {
  const bytes = Bytes.of(from);
  return text(address.parse(bytes.ptr, bytes.length));
}

function endpoint(from: string): string {
  const bytes = Bytes.of(from);
  return text(address.parseEndpoint(bytes.ptr, bytes.length));
}

/** As Go's net.ParseIP takes them (net/ip_test.go and RFC 4291). */
const ADDRESSES: string[][] = [
  ["127.0.0.1", "4:7f000001"],
  ["0.0.0.0", "4:0"],
  ["255.255.255.255", "4:ffffffff"],
  ["::ffff:127.1.2.3", "4:7f010203"],
  ["::ffff:7f01:0203", "4:7f010203"],
  ["0:0:0:0:0000:ffff:127.1.2.3", "4:7f010203"],
  ["::", "0"],
  ["::1", "1"],
  ["1::", "1000000000000_0"],
  ["2001:db8::", "20010db800000000_0"],
  ["2001:0DB8:0000:0000:0000:0000:0000:0001", "20010db800000000_1"],
  ["2001:4860:0:2001::68", "2001486000002001_68"],
  ["2001:db8:1:2:3:4:abcd:ef01", "20010db800010002_30004abcdef01"],
  ["1:2:3:4:5:6:7::", "1000200030004_5000600070000"],
  ["::2:3:4:5:6:7:8", "200030004_5000600070008"],
  ["1::8", "1000000000000_8"],
  ["::1.2.3.4", "1020304"],
  ["64:ff9b::192.0.2.33", "64ff9b00000000_c0000221"],
  ["1:2:3:4:5:6:1.2.3.4", "1000200030004_5000601020304"],
  ["-0.0.0.0", "none"],
  ["1.2.3", "none"],
  ["1.2.3.4.5", "none"],
  ["127.0.0.256", "none"],
  ["1.2.3.", "none"],
  ["1.2..4", "none"],
  [".1.2.3", "none"],
  ["1.2.3.4x", "none"],
  ["1.2.3.04", "none"],
  ["127.001.002.003", "none"],
  ["1.2.3.1000", "none"],
  ["4294967297", "none"],
  ["123", "none"],
  ["abc", "none"],
  ["", "none"],
  [" 1.2.3.4", "none"],
  ["1.2.3.4 ", "none"],
  ["1.2.3.4, 5.6.7.8", "none"],
  ["1.2.3.4:80", "none"],
  ["[::1]", "none"],
  [":", "none"],
  [":::", "none"],
  ["::::", "none"],
  ["1:", "none"],
  [":1", "none"],
  ["1::2::3", "none"],
  ["1:2:3:4:5:6:7:8::", "none"],
  ["::1:2:3:4:5:6:7:8", "none"],
  ["1:2:3:4:5:6:7", "none"],
  ["1:2:3:4:5:6:7:8:9", "none"],
  ["1:2:3:4:5:6:7:1.2.3.4", "none"],
  ["::1.2.3.4:1", "none"],
  ["1.2.3.4::", "none"],
  ["::1.2.3", "none"],
  ["12345::1", "none"],
  ["x::y", "none"],
  ["fe80::1%lo0", "none"],
  ["a1:a2:a3:a4::b1:b2:b3:b4", "none"],
];

/** As MOSN takes them off a connection or a header: with Go's net.SplitHostPort, and zones. */
const ENDPOINTS: string[][] = [
  ["1.2.3.4", "4:1020304"],
  ["1.2.3.4:80", "4:1020304"],
  ["1.2.3.4:", "4:1020304"],
  ["255.255.255.255:65535", "4:ffffffff"],
  ["[1.2.3.4]:80", "4:1020304"],
  ["[::ffff:1.2.3.4]:80", "4:1020304"],
  ["::ffff:1.2.3.4", "4:1020304"],
  ["::1", "1"],
  ["[::1]", "1"],
  ["[::1]:80", "1"],
  ["[2001:db8::1:2]:80", "20010db800000000_10002"],
  ["fe80::1%eth0", "fe80000000000000_1"],
  ["[fe80::1:2%eth0]:1", "fe80000000000000_10002"],
  ["::", "0"],
  ["1.2.3.4:http", "none"],
  ["1.2.3.4:65536", "none"],
  ["1.2.3.4:123456", "none"],
  ["1.2.3.4%eth0", "none"],
  ["1.2.3.4:80:80", "none"],
  ["[::1]80", "none"],
  ["[::1]:x", "none"],
  ["[::1", "none"],
  ["::1]", "none"],
  ["[]", "none"],
  ["[]:80", "none"],
  [":80", "none"],
  ["%eth0", "none"],
  ["::%", "0"],
  ["1.2.3.4, 5.6.7.8", "none"],
  ["1.2.3.4,5.6.7.8:80", "none"],
  ["@/pipe", "none"],
  ["/run/a.sock", "none"],
  ["123", "none"],
  ["", "none"],
  [":", "none"],
  ["[", "none"],
];

describe("IpAddress", () => {
  test("reads addresses", () => {
    for (let i = 0; i < ADDRESSES.length; i++) expect(parsed(ADDRESSES[i][0])).toBe(ADDRESSES[i][1], ADDRESSES[i][0]);
  });

  test("reads the addresses of endpoints", () => {
    for (let i = 0; i < ENDPOINTS.length; i++) expect(endpoint(ENDPOINTS[i][0])).toBe(ENDPOINTS[i][1], ENDPOINTS[i][0]);
  });

  test("looks at no text that is too long to be one", () => {
    expect(endpoint("1:".repeat(65))).toBe("none");
    expect(endpoint("fe80::1%" + "x".repeat(100))).toBe("fe80000000000000_1");
    expect(endpoint("fe80::1%" + "x".repeat(121))).toBe("none");
  });

  test("never reads behind the text", () => {
    const all = "[2001:db8::1.2.3.4%eth0]:80 1::8 ::ffff:1.2.3.4:80";
    const bytes = Bytes.of(all);
    for (let from = 0; from < bytes.length; from++) {
      for (let length = 0; from + length <= bytes.length; length++) {
        const copy = Bytes.copy(bytes.ptr + (from as usize), length);
        const alone = text(address.parseEndpoint(copy.ptr, copy.length));
        expect(text(address.parseEndpoint(bytes.ptr + (from as usize), length))).toBe(alone);
      }
    }
  });
});
