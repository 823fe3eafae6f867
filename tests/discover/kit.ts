// A real ZooKeeper, and providers of Dubbo and SOFARPC that register there.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../scripts/lib/ports.ts";
import { ZkClient, ZkError, NODE_EXISTS } from "../../scripts/discover/zookeeper/client.ts";
import type { Scope } from "../e2e/kit/scope.ts";
import { type JavaProcess, JavaProject } from "../interop/java_project.ts";

const FOLDER = import.meta.dirname;
const SOURCES = [join(FOLDER, "src")];
const HOME = join(FOLDER, "zookeeper", "target");

const OPTIONS = [
  "-Ddubbo.application.logger=slf4j",
  "-Ddubbo.service.shutdown.wait=3000",
  `-Duser.home=${HOME}`,
  `-Dlogging.path=${HOME}`,
];

const PROJECTS = {
  zookeeper: new JavaProject(join(FOLDER, "zookeeper"), [join(FOLDER, "zookeeper", "src")], [], "15 MB", "discover"),
  dubbo2: new JavaProject(join(FOLDER, "dubbo2"), SOURCES, OPTIONS, "35 MB", "discover"),
  dubbo3: new JavaProject(join(FOLDER, "dubbo3"), SOURCES, OPTIONS, "40 MB", "discover"),
  sofa: new JavaProject(join(FOLDER, "sofa"), SOURCES, OPTIONS, "45 MB", "discover"),
};

/** A ZooKeeper server that can be stopped and started again. */
export class ZooKeeperServer {
  private process?: JavaProcess;

  private constructor(
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(scope: Scope): Promise<ZooKeeperServer> {
    PROJECTS.zookeeper.build(console.log);
    const folder = mkdtempSync(join(tmpdir(), "moe-zookeeper-"));
    const self = new ZooKeeperServer(await freePort(), folder);
    scope.after(() => {
      self.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    await self.run();
    return self;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it, with the data that it had. */
  async run(): Promise<void> {
    this.process = await PROJECTS.zookeeper.start("Server", [String(this.port), this.folder]);
  }

  /** Ends it as kill -9 does. */
  stop(): void {
    this.process?.kill();
  }

  /** Ends a session, as its timeout would. */
  expire(session: string): void {
    this.process?.tell(`expire ${session}`);
  }
}

/** A provider of `discover.Hello`, for as long as the scope lasts. */
export async function startProvider(
  scope: Scope,
  kind: "dubbo2" | "dubbo3" | "sofa",
  name: string,
  zookeeper: string,
  settings: string[] = [],
): Promise<JavaProcess & { name: string }> {
  PROJECTS[kind].build(console.log);
  const port = await freePort();
  const main = kind === "sofa" ? "SofaProvider" : "DubboProvider";
  const provider = await PROJECTS[kind].start(main, [name, String(port), zookeeper, ...settings]);
  scope.after(() => provider.kill());
  return Object.assign(provider, { name });
}

/** A session for changes by hand, for as long as the scope lasts. */
export async function openZooKeeper(scope: Scope, port: number): Promise<ZkClient> {
  let opened = () => {};
  const open = new Promise<void>((resolve) => (opened = resolve));
  const hosts = [{ host: "127.0.0.1", port }];
  const events = { open: () => opened(), lost: () => {}, changed: () => {} };
  const client = new ZkClient({ hosts, chroot: "", sessionMs: 30_000 }, events);
  scope.after(() => client.close());
  client.start();
  await open;
  return client;
}

/** Creates a node and those above it. */
export async function createNode(client: ZkClient, path: string, data = ""): Promise<void> {
  const parts = path.split("/").slice(1);
  for (let i = 1; i <= parts.length; i++) {
    const text = i === parts.length ? data : "";
    try {
      await client.create(`/${parts.slice(0, i).join("/")}`, Buffer.from(text), false);
    } catch (error) {
      if (!(error instanceof ZkError && error.code === NODE_EXISTS)) throw error;
    }
  }
}
