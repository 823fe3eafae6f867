// The sample service: what it is called, where its instances listen, what it answers.

export const INTERFACE = "moe.samples.HelloService";

/** What the instances speak: SOFARPC over Bolt, Dubbo, HTTP/1 with JSON, gRPC. */
export const PROTOCOLS = ["bolt", "dubbo", "http", "grpc"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** One running copy of the service. */
export interface Instance {
  protocol: Protocol;
  version: string;
  port: number;
}

/** The hosts that envoy/envoy.yaml names. */
export const INSTANCES: Instance[] = [
  { protocol: "bolt", version: "v1", port: 12201 },
  { protocol: "bolt", version: "v1", port: 12202 },
  { protocol: "bolt", version: "v2", port: 12203 },
  { protocol: "dubbo", version: "v1", port: 12204 },
  { protocol: "dubbo", version: "v2", port: 12205 },
  { protocol: "http", version: "v1", port: 12211 },
  { protocol: "grpc", version: "v1", port: 12212 },
];

/** The versions as Dubbo spells them. */
export const DUBBO_VERSIONS: Record<string, string> = { v1: "1.0.0", v2: "2.0.0" };

/** Every answer says who gave it. */
export interface Answer {
  version: string;
  port: number;
  result: unknown;
}

/** The methods of an instance; its port may become known later. */
export function helloService(self: { version: string; port: number }) {
  const answer = (result: unknown): Answer => ({ version: self.version, port: self.port, result });
  return {
    async sayHello(name: string): Promise<Answer> {
      const greeting = self.version === "v1" ? "Hello" : "Good day";
      return answer(`${greeting}, ${name}!`);
    },
    async plus(a: number, b: number): Promise<Answer> {
      return answer(a + b);
    },
  };
}
