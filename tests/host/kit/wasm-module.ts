import { ENV_SIGNATURES, EXPORT_SIGNATURES, WASI_SIGNATURES } from "./abi.ts";
import { LoadError } from "./errors.ts";

/** A function that a module imports or exports, with its type as in abi.ts. */
export interface FunctionType {
  module: string;
  name: string;
  signature: string;
}

const SECTION = { type: 1, import: 2, function: 3, export: 7 };
const KIND = { function: 0, table: 1, memory: 2, global: 3 };

/** Reads the parts of a wasm binary that carry function types: JavaScript's reflection leaves the types out. */
class TypeReader {
  readonly imports: FunctionType[] = [];
  readonly exports: FunctionType[] = [];
  private at = 8;
  private readonly types: string[] = [];
  /** Signature of each function, imported ones first. */
  private readonly functions: string[] = [];

  constructor(private readonly bytes: Uint8Array) {
    while (this.at < bytes.length) {
      const id = this.byte();
      const end = this.number() + this.at;
      if (id === SECTION.type) this.list(() => this.types.push(`${this.valueTypes()}:${this.valueTypes()}`), true);
      else if (id === SECTION.import) this.list(() => this.importEntry());
      else if (id === SECTION.function) this.list(() => this.functions.push(this.types[this.number()]));
      else if (id === SECTION.export) this.list(() => this.exportEntry());
      this.at = end;
    }
  }

  private byte(): number {
    return this.bytes[this.at++];
  }

  private number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  private text(): string {
    const length = this.number();
    this.at += length;
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + this.at - length, length).toString();
  }

  private list(entry: () => void, functionTypes = false): void {
    for (let count = this.number(); count > 0; count--) {
      if (functionTypes && this.byte() !== 0x60) return; // not a plain function type: none of ours
      entry();
    }
  }

  private valueTypes(): string {
    let types = "";
    for (let count = this.number(); count > 0; count--) types += { 0x7f: "i", 0x7e: "I" }[this.byte()] ?? "?";
    return types;
  }

  private importEntry(): void {
    const module = this.text();
    const name = this.text();
    const kind = this.byte();
    if (kind === KIND.function) {
      const signature = this.types[this.number()];
      this.functions.push(signature);
      this.imports.push({ module, name, signature });
      return;
    }
    if (kind === KIND.global) this.at += 2;
    else this.limits(kind === KIND.table);
    this.imports.push({ module, name, signature: "not a function" });
  }

  private limits(table: boolean): void {
    if (table) this.byte(); // element type
    const bounded = (this.byte() & 1) !== 0;
    this.number();
    if (bounded) this.number();
  }

  private exportEntry(): void {
    const name = this.text();
    const kind = this.byte();
    const index = this.number();
    if (kind === KIND.function) this.exports.push({ module: "", name, signature: this.functions[index] });
  }
}

/**
 * Compiles a module and refuses what Envoy refuses: no ABI version, an unknown import, an import or export of another
 * type, no allocator, host calls before the memory is known (a wasm start section). Throws `LoadError`.
 */
export function loadModule(bytes: Uint8Array): WebAssembly.Module {
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  } catch (error) {
    throw new LoadError(`Failed to load Wasm bytecode: ${(error as Error).message}`);
  }
  const { imports, exports } = new TypeReader(bytes);
  const names = new Set(exports.map((entry) => entry.name));
  if (!names.has("proxy_abi_version_0_2_1")) throw new LoadError("Missing or unknown Proxy-Wasm ABI version");
  if (!names.has("malloc") && !names.has("proxy_on_memory_allocate")) {
    throw new LoadError("Wasm module is missing malloc function.");
  }
  for (const { module: from, name, signature } of imports) {
    if (from === "coverage" && process.env.MOE_COVERAGE !== undefined) continue; // an instrumented build
    const offered = { env: ENV_SIGNATURES, wasi_snapshot_preview1: WASI_SIGNATURES }[from]?.[name];
    if (offered === undefined)
      throw new LoadError(`Failed to load Wasm module due to a missing import: ${from}.${name}`);
    if (offered !== signature) {
      throw new LoadError(`Failed to load Wasm module due to an import type mismatch for function ${from}.${name}`);
    }
  }
  for (const { name, signature } of exports) {
    const wanted = EXPORT_SIGNATURES[name];
    if (wanted !== undefined && wanted !== signature) {
      throw new LoadError(`Bad function signature for: ${name} (${signature} instead of ${wanted})`);
    }
  }
  return module;
}
