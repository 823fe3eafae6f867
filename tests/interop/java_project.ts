// A Maven project with Java peers: build it, start its server, run its client.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

const CLIENT_LIMIT_MS = 300_000;
const SERVER_LIMIT_MS = 60_000;

/** A Java process that runs until it is told to end. */
export interface JavaProcess {
  /** What it was started with. */
  args: string[];
  /** Resolves when it has ended. */
  exit: Promise<void>;
  /** Writes a line to its standard input. */
  tell(line: string): void;
  /** Ends it at once. */
  kill(): void;
}

/** The peers cannot be built or run; the message says why and what to do. */
export class PeersFailed extends Error {}

export class JavaProject {
  private readonly target: string;
  /** Written after a complete build; its time is the build's. */
  private readonly stamp: string;

  /**
   * `folder`: where the pom.xml is. `sources`: the folders that it compiles. `options`: of the Java machine, for all
   * of its processes. `size`: what Maven fetches the first time. `packageName`: of the classes to start.
   */
  constructor(
    private readonly folder: string,
    private readonly sources: string[],
    private readonly options: string[],
    private readonly size: string,
    private readonly packageName = "interop",
  ) {
    this.target = join(folder, "target");
    this.stamp = join(this.target, "built");
  }

  /** Compiles and collects the libraries, when a source is newer than the last build. Throws PeersFailed. */
  build(say: (line: string) => void): void {
    for (const [program, flag] of [
      ["java", "-version"],
      ["mvn", "--version"],
    ]) {
      if (spawnSync(program, [flag], { stdio: "ignore" }).status !== 0) {
        throw new PeersFailed(`${program} is missing: the interop tests need a JDK (8 or later) and Maven on PATH.`);
      }
    }
    if (existsSync(this.stamp) && statSync(this.stamp).mtimeMs > this.newestSource()) return;
    say(`Building the Java peers (the first time Maven fetches about ${this.size})`);
    const maven = spawnSync("mvn", ["-q", "-B", "compile", "dependency:copy-dependencies"], {
      cwd: this.folder,
      encoding: "utf8",
    });
    if (maven.status !== 0) throw new PeersFailed(`mvn failed:\n${(maven.stdout + maven.stderr).trim()}`);
    writeFileSync(this.stamp, "");
  }

  private newestSource(): number {
    const files = this.sources.flatMap((source) =>
      readdirSync(source, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    );
    return Math.max(...[join(this.folder, "pom.xml"), ...files].map((file) => statSync(file).mtimeMs));
  }

  private java(main: string, args: string[]): ChildProcess {
    const dependencies = join(this.target, "dependency");
    const libraries = readdirSync(dependencies).map((name) => join(dependencies, name));
    const options = [
      "-Xmx512m",
      // Two cores are shared with Envoy: the quick compiler and one collector thread do.
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      "-Djava.net.preferIPv4Stack=true",
      "-Dfile.encoding=UTF-8",
      "-XX:+IgnoreUnrecognizedVMOptions",
      // Hessian writes exceptions field by field (Java 9 and later).
      "--add-opens=java.base/java.lang=ALL-UNNAMED",
      ...this.options,
    ];
    const classpath = [join(this.target, "classes"), ...libraries].join(delimiter);
    const child = spawn("java", [...options, "-cp", classpath, `${this.packageName}.${main}`, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("exit", () => process.removeListener("exit", kill));
    return child;
  }

  /** Starts a server; returns when it has printed READY, with what ends it. Throws PeersFailed. */
  async serve(main: string, args: string[]): Promise<() => void> {
    return (await this.start(main, args)).kill;
  }

  /** The same, with more of what can be done to it. */
  async start(main: string, args: string[]): Promise<JavaProcess> {
    const child = this.java(main, args);
    const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
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
    return {
      args,
      exit,
      tell: (line) => void child.stdin?.write(`${line}\n`),
      kill: () => void child.kill("SIGKILL"),
    };
  }

  /** Runs a client to its end; returns the lines that it printed. */
  async lines(main: string, args: string[]): Promise<string[]> {
    const child = this.java(main, args);
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
}
