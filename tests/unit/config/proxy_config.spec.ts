import { Bytes } from "../../../assembly/bytes/bytes";
import { ConfigErrors } from "../../../assembly/config/errors";
import { ProxyConfig } from "../../../assembly/proxy/config";

const KNOWN: string[] = ["bolt", "boltv2", "x_example"];

function load(text: string, errors: ConfigErrors): ProxyConfig | null {
  const bytes = Bytes.of(text);
  return ProxyConfig.parse(bytes.ptr, bytes.length, errors, KNOWN);
}

function errorOf(text: string): string {
  const errors = new ConfigErrors();
  const config = load(text, errors);
  return config === null ? errors.message : "accepted";
}

describe("ProxyConfig", () => {
  test("has defaults for everything", () => {
    const errors = new ConfigErrors();
    const config = load("", errors);
    expect(errors.message).toBe("");
    if (config === null) return;
    expect(config.maxFrameBytes).toBe(16777216);
  });
});
