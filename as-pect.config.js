import { vectorImports } from "./tests/vectors/fixture.js";

// Runner of the AssemblyScript unit tests: `npm run test:unit`, or one spec: `npx asp filters/codec/bolt/bolt.spec.ts`.
const named = process.argv.slice(2).some((argument) => argument.endsWith(".spec.ts"));

export default {
  entries: named ? [] : ["tests/unit/**/*.spec.ts", "filters/**/*.spec.ts"],
  include: ["tests/unit/**/*.include.ts"],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    let module;
    const own = () => module.exports.memory.buffer;
    const env = {
      memory,
      // What filters that draw lots ask of their host.
      proxy_get_current_time_nanoseconds(at) {
        new DataView(own()).setBigUint64(at, process.hrtime.bigint(), true);
        return 0;
      },
      // Data that workers share: there is none, and it can be written.
      proxy_get_shared_data: () => 1,
      proxy_set_shared_data: () => 0,
      // Properties of Envoy: none.
      proxy_get_property: () => 1,
    };
    // What else the proxy would ask of Envoy, which one spec compiles and does not run: it is not done.
    for (const { module: from, name, kind } of WebAssembly.Module.imports(new WebAssembly.Module(binary))) {
      if (from === "env" && kind === "function" && name.startsWith("proxy_")) env[name] ??= () => 1;
    }
    const wasi = {
      clock_time_get(clock, precision, at) {
        new DataView(own()).setBigUint64(at, process.hrtime.bigint(), true);
        return 0;
      },
      // The key of SipHash's published vectors.
      random_get(at, size) {
        new Uint8Array(own(), at, size).set(Array.from({ length: size }, (_, i) => i));
        return 0;
      },
    };
    module = await instantiate(
      binary,
      createImports({ env, wasi_snapshot_preview1: wasi, vectors: vectorImports(own) }),
    );
    return module;
  },
  outputBinary: false,
};
