// The Java peers of Dubbo, one Maven project for each version: their classes have the same names.
import { join } from "node:path";
import { JavaProject } from "./java_project.ts";

export const VERSIONS = ["2.7", "3.3"] as const;
export type DubboVersion = (typeof VERSIONS)[number];

const FOLDER = join(import.meta.dirname, "dubbo");
const SOURCES = [join(FOLDER, "src"), join(import.meta.dirname, "java", "src")];
const OPTIONS = [
  "-Ddubbo.application.logger=slf4j",
  // How long a server that stops waits for its clients, instead of 10 s.
  "-Ddubbo.service.shutdown.wait=3000",
  // Dubbo keeps files in the home folder.
  `-Duser.home=${join(FOLDER, "target")}`,
];

const projects: Record<DubboVersion, JavaProject> = {
  "2.7": new JavaProject(join(FOLDER, "dubbo2"), SOURCES, OPTIONS, "30 MB"),
  "3.3": new JavaProject(join(FOLDER, "dubbo3"), SOURCES, OPTIONS, "35 MB"),
};

/** Compiles the peers of all versions where a source is newer than the last build. Throws PeersFailed. */
export function buildDubboPeers(say: (line: string) => void): void {
  for (const version of VERSIONS) projects[version].build(say);
}

/** Starts one process that serves at all these ports; returns what ends it. Throws PeersFailed. */
export async function startDubboServer(version: DubboVersion, ports: Record<string, number>): Promise<() => void> {
  return projects[version].serve(
    "DubboServer",
    Object.entries(ports).map(([name, port]) => `${name}:${port}`),
  );
}

/** The names of all cases, in order; those that begin with `proxy` need the proxy's routes. */
export async function listDubboCases(): Promise<string[]> {
  return (await projects["2.7"].lines("DubboClient", ["--list"])).filter((line) => line !== "");
}

/** Runs the cases; `ports` by what DubboClient uses them for. Returns what it printed. */
export async function runDubboClient(
  version: DubboVersion,
  name: string,
  ports: Record<string, number>,
  cases: string[],
): Promise<string[]> {
  const args = Object.entries(ports).map(([use, port]) => `${use}:${port}`);
  return projects[version].lines("DubboClient", [name, cases.join(","), ...args]);
}
