// The Java peers of Bolt: SOFARPC and raw sofa-bolt.
import { join } from "node:path";
import { freePort } from "../../scripts/lib/ports.ts";
import { JavaProject } from "./java_project.ts";

const PROJECT = join(import.meta.dirname, "java");

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

const project = new JavaProject(
  PROJECT,
  [join(PROJECT, "src")],
  [
    "-Dinvoke.baggage.enable=true",
    // Tracer and RPC logs, which otherwise go to the home folder.
    `-Dlogging.path=${join(PROJECT, "target", "logs")}`,
  ],
  "45 MB",
);

/** Compiles the peers and collects their libraries, when a source is newer than the last build. Throws PeersFailed. */
export function buildPeers(say: (line: string) => void): void {
  project.build(say);
}

/** Starts the SOFARPC and the raw Bolt server in one process; returns when both listen. Throws PeersFailed. */
export async function startServer(): Promise<JavaServer> {
  const [sofaPort, rawPort] = [await freePort(), await freePort()];
  const stop = await project.serve("Server", [String(sofaPort), String(rawPort)]);
  return { sofaPort, rawPort, stop };
}

/** The names of all cases, in order. */
export async function listCases(): Promise<string[]> {
  return (await project.lines("Client", ["--list"])).filter((line) => line !== "");
}

/**
 * Runs the cases against the target; `name` tells this run from others in the server's records. Returns what the
 * client printed: one JSON line a case, possibly with other lines between. Throws PeersFailed.
 */
export async function runClient(name: string, target: Target, cases: string[]): Promise<string[]> {
  return project.lines("Client", [name, target.sofa, target.raw, cases.join(",")]);
}
