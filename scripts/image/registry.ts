// Pushes an image to a registry (OCI distribution specification).
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Image } from "./image.ts";

export interface Reference {
  /** Host and port of the registry. */
  registry: string;
  repository: string;
  tag: string;
}

export interface PushOptions {
  /** Speak HTTP; the default for loopback addresses. */
  plainHttp?: boolean;
  username?: string;
  password?: string;
}

/** A registry that refused; the message says what it said. */
export class PushFailed extends Error {}

const REFERENCE =
  /^([a-zA-Z0-9.-]+(?::\d+)?|\[[0-9a-f:]+\](?::\d+)?)\/([a-z0-9]+(?:[._/-]+[a-z0-9]+)*):([\w][\w.-]{0,127})$/;

/** Reads `REGISTRY/REPO:TAG`. Throws PushFailed. */
export function parseReference(text: string): Reference {
  const [, registry, repository, tag] = REFERENCE.exec(text.replace(/^oci:\/\//, "")) ?? [];
  if (!registry) throw new PushFailed(`expected REGISTRY/REPO:TAG, with a lower-case REPO, got "${text}"`);
  return { registry, repository, tag };
}

function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, "");
  return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}

/** User name and password that `docker login` has stored for a registry; none where a helper keeps them. */
function storedLogin(registry: string): { username: string; password: string } | undefined {
  const file = join(process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "config.json");
  if (!existsSync(file)) return undefined;
  const config = JSON.parse(readFileSync(file, "utf8")) as { auths?: Record<string, { auth?: string }> };
  const entry = config.auths?.[registry] ?? config.auths?.[`https://${registry}`];
  if (!entry?.auth) return undefined;
  const [username, ...rest] = Buffer.from(entry.auth, "base64").toString().split(":");
  return { username, password: rest.join(":") };
}

/** One push: requests to a registry, with the authorization that it asks for. */
class Push {
  private readonly base: string;
  private readonly login: { username: string; password: string } | undefined;
  private authorization: string | undefined;

  constructor(
    private readonly to: Reference,
    options: PushOptions,
  ) {
    const scheme = (options.plainHttp ?? isLoopback(to.registry)) ? "http" : "https";
    this.base = `${scheme}://${to.registry}/v2/${to.repository}`;
    const { username, password } = options;
    this.login = username !== undefined ? { username, password: password ?? "" } : storedLogin(to.registry);
  }

  /** Sends a request; one that is refused with 401 is sent again with a login or a token. */
  private async send(method: string, url: string, body?: Buffer, type?: string): Promise<Response> {
    const attempt = () =>
      fetch(url, {
        method,
        body: body && new Uint8Array(body),
        headers: {
          ...(type ? { "content-type": type } : {}),
          ...(this.authorization ? { authorization: this.authorization } : {}),
        },
      }).catch((error: Error) => {
        throw new PushFailed(
          `${this.to.registry} cannot be reached: ${(error.cause as Error)?.message ?? error.message}`,
        );
      });
    const response = await attempt();
    if (response.status !== 401 || this.authorization) return response;
    await this.authorize(response.headers.get("www-authenticate") ?? "");
    return this.authorization ? attempt() : response;
  }

  /** Answers a challenge: Basic by the login itself, Bearer by a token of the realm that it names. */
  private async authorize(challenge: string): Promise<void> {
    const basic =
      this.login && `Basic ${Buffer.from(`${this.login.username}:${this.login.password}`).toString("base64")}`;
    if (/^basic/i.test(challenge)) this.authorization = basic;
    if (!/^bearer/i.test(challenge)) return;
    const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
    const realm = field("realm");
    if (!realm) return;
    const url = new URL(realm);
    const service = field("service");
    if (service) url.searchParams.set("service", service);
    url.searchParams.set("scope", field("scope") ?? `repository:${this.to.repository}:pull,push`);
    const answer = await fetch(url, { headers: basic ? { authorization: basic } : {} });
    if (!answer.ok) throw new PushFailed(`${url.host} gives no token: ${answer.status}`);
    const { token, access_token } = (await answer.json()) as { token?: string; access_token?: string };
    this.authorization = `Bearer ${token ?? access_token ?? ""}`;
  }

  private async check(response: Response, what: string): Promise<Response> {
    if (response.ok) return response;
    const text = (await response.text()).slice(0, 200);
    const hint =
      response.status === 401
        ? " Log in: `docker login`, or --username with the password in MOE_REGISTRY_PASSWORD."
        : "";
    throw new PushFailed(`${what}: ${this.to.registry} answers ${response.status} ${text}${hint}`);
  }

  async blob(digest: string, data: Buffer): Promise<void> {
    const there = await this.send("HEAD", `${this.base}/blobs/${digest}`);
    if (there.ok) return;
    const started = await this.check(await this.send("POST", `${this.base}/blobs/uploads/`), "upload");
    const location = started.headers.get("location");
    if (!location) throw new PushFailed(`upload: ${this.to.registry} names no place for it`);
    const url = new URL(location, `${this.base}/`);
    url.searchParams.set("digest", digest);
    await this.check(await this.send("PUT", url.href, data, "application/octet-stream"), `blob ${digest}`);
  }

  async manifest(image: Image): Promise<void> {
    const url = `${this.base}/manifests/${this.to.tag}`;
    await this.check(await this.send("PUT", url, image.manifest, image.descriptor.mediaType), "manifest");
  }
}

/** Pushes the image. Throws PushFailed. */
export async function push(image: Image, to: Reference, options: PushOptions = {}): Promise<void> {
  const upload = new Push(to, options);
  for (const [digest, data] of image.blobs) await upload.blob(digest, data);
  await upload.manifest(image);
}
