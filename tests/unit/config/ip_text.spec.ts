import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { canonicalEndpoint, canonicalHost } from "../../../assembly/config/ip_text";

const view = new View();

function endpoint(text: string): string {
  return canonicalEndpoint(Bytes.of(text)).toString();
}

function host(text: string): string {
  const bytes = Bytes.of(text);
  if (!canonicalHost(bytes.ptr, bytes.length, view)) return "none";
  return String.UTF8.decodeUnsafe(view.ptr, view.length);
}

describe("one spelling of addresses", () => {
  test("endpoints, as RFC 5952 (4.2, 5 and 6) writes them", () => {
    const same = ["10.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[2001:db8::1]:80"];
    for (let i = 0; i < same.length; i++) expect(endpoint(same[i])).toBe(same[i]);
    expect(endpoint("[0:0:0:0:0:0:0:1]:80")).toBe("[::1]:80");
    expect(endpoint("[::0001]:0080")).toBe("[::1]:80");
    expect(endpoint("[2001:DB8:0:0:8:800:200C:417A]:1")).toBe("[2001:db8::8:800:200c:417a]:1");
    expect(endpoint("[2001:db8:0:0:1:0:0:1]:443")).toBe("[2001:db8::1:0:0:1]:443");
    expect(endpoint("[2001:db8:0:1:1:1:1:1]:443")).toBe("[2001:db8:0:1:1:1:1:1]:443");
    expect(endpoint("[::ffff:10.0.0.1]:80")).toBe("10.0.0.1:80");
    expect(endpoint("[::FFFF:0a00:1]:80")).toBe("10.0.0.1:80");
    expect(endpoint("[64:ff9b::192.0.2.33]:80")).toBe("[64:ff9b::c000:221]:80");
    expect(endpoint("[0:0:0:0:0:0:0:0]:80")).toBe("[::]:80");
  });

  test("what is no IP address with a port is given back", () => {
    const others = ["", "host:80", "10.0.0.1", "::1", "[::1]", "[fe80::1%eth0]:80", "/run/a.sock", "010.0.0.1:80", "a"];
    for (let i = 0; i < others.length; i++) expect(endpoint(others[i])).toBe(others[i]);
    expect(endpoint("10.0.0.1:65536")).toBe("10.0.0.1:65536");
  });

  test("hosts in brackets", () => {
    expect(host("[0:0::1]")).toBe("[::1]");
    expect(host("[::ffff:10.0.0.1]")).toBe("10.0.0.1");
    expect(host("[::1]:80")).toBe("none");
    expect(host("[fe80::1%eth0]")).toBe("none");
    expect(host("[x]")).toBe("none");
  });
});
