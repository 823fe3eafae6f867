import { TestAttributes } from "./attributes";
import { evaluate } from "./evaluate";
import { VECTORS } from "./vectors";

const source = new TestAttributes();
let next = 0;

function check(): void {
  const row = VECTORS[next++];
  const got = evaluate(row[0], source);
  if (row[1] == "refused") expect(got.startsWith("refused: ")).toBe(true, row[0] + " -> " + got);
  else expect(got).toBe(row[1], row[0]);
}

describe("expressions give what MOSN gives", () => {
  for (let i = 0; i < VECTORS.length; i++) test(VECTORS[i][0], check);
});
