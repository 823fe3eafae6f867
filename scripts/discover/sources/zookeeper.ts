// ZooKeeper as a source: what Dubbo and SOFARPC keep there.
import { readFileSync } from "node:fs";
import { BadInput, type Listener, type Offer, type Source } from "../model.ts";
import { Tree } from "../zookeeper/tree.ts";
import { Dubbo2 } from "./dubbo2.ts";
import { Dubbo3 } from "./dubbo3.ts";
import { Sofa } from "./sofa.ts";
import { secretOf, type SourceUrl } from "./source_url.ts";

export const ZOOKEEPER_OPTIONS = ["read", "dubbo", "sofa", "services", "session_ms", "auth_file", "auth_env", "tls_ca"];

const PARTS = ["dubbo", "dubbo3", "sofa"];

/** Several readers of one registry may know the same service: its hosts are those of all, the first one's word first. */
class Parts {
  private readonly offers = new Map<string, Map<string, Offer>>();

  constructor(private readonly listener: Listener) {}

  of(part: string): Listener {
    return { ...this.listener, offer: (offer) => this.offer(part, offer) };
  }

  private offer(part: string, offer: Offer): void {
    const known = this.offers.get(offer.service) ?? new Map<string, Offer>();
    if (offer.endpoints.length > 0) known.set(part, offer);
    else known.delete(part);
    if (known.size > 0) this.offers.set(offer.service, known);
    else this.offers.delete(offer.service);
    const all = PARTS.flatMap((name) => known.get(name) ?? []);
    const endpoints = all.length === 1 ? all[0].endpoints : all.flatMap((one) => one.endpoints);
    this.listener.offer({ service: offer.service, endpoints, rules: all.find(({ rules }) => rules?.timeoutMs)?.rules });
  }
}

export class ZooKeeper implements Source {
  readonly name: string;
  private readonly parts: string[];
  private readonly sessionMs: number;
  private readonly auth?: string;
  private readonly ca?: string;
  private tree?: Tree;

  /** Throws BadInput for options that are wrong. */
  constructor(private readonly url: SourceUrl) {
    this.name = `zookeeper ${url.hosts.map(({ host, port }) => `${host}:${port}`).join(",")}${url.path}`;
    this.parts = (url.options.get("read") ?? PARTS.join(",")).split(",");
    const unknown = this.parts.find((part) => !PARTS.includes(part));
    if (unknown !== undefined) throw new BadInput(`${this.name}: read=${unknown}: allowed: ${PARTS.join(", ")}`);
    this.sessionMs = Number(url.options.get("session_ms") ?? 30_000);
    if (!(this.sessionMs >= 1000 && this.sessionMs <= 600_000)) {
      throw new BadInput(`${this.name}: session_ms: expected a number from 1000 to 600000`);
    }
    this.auth = secretOf(url);
    const ca = url.options.get("tls_ca");
    try {
      if (ca !== undefined) this.ca = readFileSync(ca, "utf8");
    } catch (error) {
      throw new BadInput(`${this.name}: tls_ca: ${(error as Error).message}`);
    }
  }

  private root(option: string, usual: string): string {
    const path = this.url.options.get(option) ?? usual;
    if (/^(\/[^/]+)+$/.test(path)) return path;
    throw new BadInput(`${this.name}: ${option}: expected a path such as ${usual}, got "${path}"`);
  }

  async start(listener: Listener): Promise<void> {
    const options = {
      hosts: this.url.hosts,
      chroot: this.url.path,
      sessionMs: this.sessionMs,
      auth: this.auth,
      tls: this.ca === undefined ? undefined : { ca: this.ca },
    };
    /** Those that gather what they have to offer. */
    const readers: { flush(): void }[] = [];
    const tree = new Tree(options, {
      open: () => listener.connected(true, `connected, session ${tree.session.sessionId}`),
      lost: (why) => listener.connected(false, why),
      complete: () => {
        for (const reader of readers) reader.flush();
        listener.synced();
      },
      refused: (path, why) => listener.warn(path, `cannot be read: ${why}`),
    });
    this.tree = tree;
    const parts = new Parts(listener);
    const root = this.root("dubbo", "/dubbo");
    const dubbo = new Dubbo2(tree, root, parts.of("dubbo"));
    readers.push(dubbo);
    if (this.parts.includes("dubbo")) dubbo.start();
    if (this.parts.includes("dubbo3")) {
      const dubbo3 = new Dubbo3(tree, this.root("services", "/services"), root, dubbo, parts.of("dubbo3"));
      dubbo3.start();
      readers.push(dubbo3);
    }
    if (this.parts.includes("sofa")) new Sofa(tree, this.root("sofa", "/sofa-rpc"), parts.of("sofa")).start();
    tree.start();
  }

  async close(): Promise<void> {
    await this.tree?.close();
  }
}
