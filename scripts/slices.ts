// `npm run slices -- --minutes M`: fuzz, soak and chaos at the same time, each with a fixed and a fresh seed.
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { Command } from "commander";
import { build } from "./build.ts";
import { minutes } from "./lib/minutes.ts";

const root = resolve(import.meta.dirname, "..");
const DRIVERS = ["fuzz", "soak", "chaos"];
const FIXED = 20261121;

/** Runs a driver, its lines shown with its name in front; whether it was clean. */
function run(driver: string, ...args: string[]): Promise<boolean> {
  return new Promise((done) => {
    const path = resolve(root, "scripts", `${driver}.ts`);
    const child = spawn(process.execPath, ["--import", "tsx", path, ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const show = (stream: NodeJS.ReadableStream) => {
      let rest = "";
      stream.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) console.log(`${driver}: ${line}`);
      });
    };
    show(child.stdout);
    show(child.stderr);
    child.once("close", (code) => done(code === 0));
  });
}

const options = new Command("npm run slices --")
  .description("Fuzz, soak and chaos at the same time, each with a fixed seed and a fresh one.")
  .option("--minutes <minutes>", "for both seeds together; a round that has begun is played to its end", minutes, 5)
  .option("--seed <number>", "in place of the fresh one", Number)
  .parse()
  .opts<{ minutes: number; seed?: number }>();

build();
const seeds = [FIXED, options.seed ?? Date.now() % 1_000_000_000];
await Promise.all(
  DRIVERS.map(async (driver) => {
    for (const seed of seeds) {
      const clean = await run(driver, "--minutes", `${options.minutes / seeds.length}`, "--seed", `${seed}`);
      console.log(`slice ${driver}, seed ${seed}: ${clean ? "clean" : "FAILED"}`);
      if (!clean) process.exitCode = 1;
    }
  }),
);
