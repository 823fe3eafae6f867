// What specs of filters and codecs need of as-pect, here and in projects of their own (`moe-wasm/as-pect`).

/**
 * A configuration of as-pect: the specs run with as much of Envoy as they ask for.
 * @param {object} options
 * @param {string[]} options.entries the specs, as globs
 * @param {string[]} [options.include] files that are compiled into each of them, as globs
 * @param {(memory: () => ArrayBuffer) => WebAssembly.Imports} [options.imports] more imports of the specs
 */
export function asPect({ entries, include = [], imports = () => ({}) }) {
  return {
    entries,
    include,
    disclude: [/node_modules/],
    async instantiate(memory, createImports, instantiate, binary) {
      let module;
      const own = () => module.exports.memory.buffer;
      const env = { memory, ...envOf(own) };
      // What else the proxy would ask of Envoy, which one spec compiles and does not run: it is not done.
      for (const { module: from, name, kind } of WebAssembly.Module.imports(new WebAssembly.Module(binary))) {
        if (from === "env" && kind === "function" && name.startsWith("proxy_")) env[name] ??= () => 1;
      }
      const wasi = {
        clock_time_get(clock, precision, at) {
          writeNow(own, at);
          return 0;
        },
        random_get(at, size) {
          new Uint8Array(own(), at, size).set(Array.from({ length: size }, (_, i) => i));
          return 0;
        },
      };
      module = await instantiate(binary, createImports({ env, wasi_snapshot_preview1: wasi, ...imports(own) }));
      return module;
    },
    outputBinary: false,
  };
}

function writeNow(memory, at) {
  new DataView(memory()).setBigUint64(at, process.hrtime.bigint(), true);
}

/** What filters ask of their host. */
function envOf(memory) {
  return {
    proxy_get_current_time_nanoseconds(at) {
      writeNow(memory, at);
      return 0;
    },
    // Data that workers share: there is none, and it can be written.
    proxy_get_shared_data: () => 1,
    proxy_set_shared_data: () => 0,
    // Properties of Envoy: none.
    proxy_get_property: () => 1,
  };
}
