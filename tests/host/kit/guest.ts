import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";

const guests = new URL("../guests/", import.meta.url).pathname;
const build = new URL("../../../build/guests/", import.meta.url).pathname;

/** Compiles an AssemblyScript guest of tests/host/guests where its sources are newer; throws with the compiler's messages. */
export async function compileGuest(name: string): Promise<Uint8Array> {
  const output = join(build, `${name}.wasm`);
  const changed = Math.max(...readdirSync(guests).map((file) => statSync(join(guests, file)).mtimeMs));
  if (!existsSync(output) || statSync(output).mtimeMs < changed) await compile(name, output);
  return readFileSync(output);
}

async function compile(name: string, output: string): Promise<void> {
  mkdirSync(build, { recursive: true });
  // Test files run in parallel: each writes a file of its own and moves it into place.
  const part = `${output}.${process.pid}`;
  // The base directory keeps the project's own asconfig.json out.
  const flags = ["--runtime", "minimal", "--exportStart", "_initialize", "--use", "abort=", "-O1"];
  const { error, stderr } = await asc.main([`${name}.ts`, "--baseDir", guests, "--outFile", part, ...flags]);
  if (error !== null) throw new Error(`${name}: ${error.message}\n${stderr.toString()}`);
  renameSync(part, output);
}
