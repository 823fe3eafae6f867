// The numbers of the statements that ran in this process; at its end they go to a file of the folder MOE_COVERAGE. The
// emulator (tests/host/kit) finds `hit` in the global `moeCoverage`: it knows nothing of this file.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.MOE_COVERAGE;
const seen = new Uint8Array(1 << 16);

/** @param {number} statement */
export function hit(statement) {
  seen[statement] = 1;
}

if (folder !== undefined) {
  globalThis.moeCoverage = { hit };
  process.on("exit", () => {
    const numbers = [];
    seen.forEach((one, number) => one && numbers.push(number));
    writeFileSync(join(folder, `hits-${process.pid}.json`), JSON.stringify(numbers));
  });
}
