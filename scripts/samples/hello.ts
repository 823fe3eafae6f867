// The sample service: what it is called, where its instances listen, what it answers.

export const INTERFACE = "moe.samples.HelloService";

/** One running copy of the service. */
export interface Instance {
  version: string;
  port: number;
}

/** The hosts that envoy/envoy.yaml names: two of version 1, one of version 2. */
export const INSTANCES: Instance[] = [
  { version: "v1", port: 12201 },
  { version: "v1", port: 12202 },
  { version: "v2", port: 12203 },
];

/** Every answer says who gave it. */
export interface Answer extends Instance {
  result: unknown;
}

/** The methods of an instance. */
export function helloService(self: Instance) {
  return {
    async sayHello(name: string): Promise<Answer> {
      const greeting = self.version === "v1" ? "Hello" : "Good day";
      return { ...self, result: `${greeting}, ${name}!` };
    },
    async plus(a: number, b: number): Promise<Answer> {
      return { ...self, result: a + b };
    },
  };
}
