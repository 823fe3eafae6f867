// The Java peers: build them with Maven, start the server, run the client.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../../scripts/lib/ports.ts";

const PROJECT = new URL("java", import.meta.url).pathname;
const TARGET = join(PROJECT, "target");
const DEPENDENCIES = join(TARGET, "dependency");
/** Written after a complete build; its time is the build's. */
const STAMP = join(TARGET, "built");
const CLIENT_LIMIT_MS = 150_000;
const SERVER_LIMIT_MS = 30_000;

/** The peers cannot be built or run; the message says why and what to do. */
export class PeersFailed extends Error {}

/** A server process and where it listens. */
export interface JavaServer {
  sofaPort: number;
  rawPort: number;
  stop(): void;
}

/** Addresses that one run of the client uses. */
export interface Target {
  sofa: string;
  raw: string;
}

/** Compiles the peers and collects their libraries, when a source is newer than the last build. Throws PeersFailed. */
export function buildPeers(say: (line: string) => void): void {
  for (const [program, flag] of [
    ["java", "-version"],
    ["mvn", "--version"],
  ]) {
    if (spawnSync(program, [flag], { stdio: "ignore" }).status !== 0) {
      throw new PeersFailed(`${program} is missing: the interop tests need a JDK (8 or later) and Maven on PATH.`);
    }
  }
  if (existsSync(STAMP) && statSync(STAMP).mtimeMs > newestSource()) return;
  say("Building the Java peers (the first time Maven fetches about 45 MB)");
  const maven = spawnSync("mvn", ["-q", "-B", "compile", "dependency:copy-dependencies"], {
    cwd: PROJECT,
    encoding: "utf8",
  });
  if (maven.status !== 0) throw new PeersFailed(`mvn failed:\n${(maven.stdout + maven.stderr).trim()}`);
  writeFileSync(STAMP, "");
}

function newestSource(): number {
  const sources = readdirSync(join(PROJECT, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Math.max(...[join(PROJECT, "pom.xml"), ...sources].map((file) => statSync(file).mtimeMs));
}

function java(main: string, args: string[]): ChildProcess {
  const libraries = readdirSync(DEPENDENCIES).map((name) => join(DEPENDENCIES, name));
  const options = [
    "-Xmx512m",
    // Two cores are shared with Envoy: the quick compiler and one collector thread do.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Djava.net.preferIPv4Stack=true",
    "-Dfile.encoding=UTF-8",
    "-Dinvoke.baggage.enable=true",
    // Tracer and RPC logs, which otherwise go to the home folder.
    `-Dlogging.path=${join(TARGET, "logs")}`,
    "-XX:+IgnoreUnrecognizedVMOptions",
    // Hessian writes exceptions field by field (Java 9 and later).
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
  ];
  const classpath = [join(TARGET, "classes"), ...libraries].join(delimiter);
  const child = spawn("java", [...options, "-cp", classpath, `interop.${main}`, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.removeListener("exit", kill));
  return child;
}

/** Starts the SOFARPC and the raw Bolt server in one process; returns when both listen. Throws PeersFailed. */
export async function startServer(): Promise<JavaServer> {
  const [sofaPort, rawPort] = [await freePort(), await freePort()];
  const child = java("Server", [String(sofaPort), String(rawPort)]);
  const errors: string[] = [];
  createInterface(child.stderr!).on("line", (line) => errors.push(line));
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new PeersFailed(`the Java server ${why}:\n${errors.slice(-15).join("\n")}`));
    const timer = setTimeout(() => fail("is not ready"), SERVER_LIMIT_MS);
    child.once("exit", (code) => fail(`ended with code ${code}`));
    createInterface(child.stdout!).on("line", (line) => {
      if (line !== "READY") return;
      clearTimeout(timer);
      resolve();
    });
  });
  return { sofaPort, rawPort, stop: () => child.kill("SIGKILL") };
}

/** The names of all cases, in order. */
export async function listCases(): Promise<string[]> {
  return (await lines(java("Client", ["--list"]))).filter((line) => line !== "");
}

/**
 * Runs the cases against the target; `name` tells this run from others in the server's records. Returns what the
 * client printed: one JSON line a case, possibly with other lines between. Throws PeersFailed.
 */
export async function runClient(name: string, target: Target, cases: string[]): Promise<string[]> {
  return lines(java("Client", [name, target.sofa, target.raw, cases.join(",")]));
}

async function lines(child: ChildProcess): Promise<string[]> {
  const printed: string[] = [];
  const errors: string[] = [];
  createInterface(child.stdout!).on("line", (line) => printed.push(line));
  createInterface(child.stderr!).on("line", (line) => errors.push(line));
  const timer = setTimeout(() => child.kill("SIGKILL"), CLIENT_LIMIT_MS);
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  // A client that died has printed some cases: the others are reported as missing, after its last words.
  if (code !== 0) console.error(`the Java client ended with ${code}:\n${errors.slice(-15).join("\n")}`);
  return printed;
}
