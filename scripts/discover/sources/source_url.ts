// The address of a registry, and the secret for it.
import { readFileSync } from "node:fs";
import { BadInput } from "../model.ts";

/** A source's address: `KIND://HOST:PORT,HOST:PORT/PATH?OPTION=VALUE`. */
export interface SourceUrl {
  kind: string;
  hosts: { host: string; port: number }[];
  path: string;
  options: Map<string, string>;
}

/** Reads such a URL. Throws BadInput. */
export function parseSourceUrl(text: string, defaultPort: number): SourceUrl {
  const parts = /^([a-z0-9]+):\/\/([^/?]+)(\/[^?]*)?(?:\?(.*))?$/.exec(text);
  if (!parts) throw new BadInput(`--source ${text}: expected KIND://HOST:PORT,…/PATH?OPTION=VALUE`);
  const [, kind, authority, path = "", query = ""] = parts;
  if (authority.includes("@")) {
    throw new BadInput(`--source ${kind}://…: no password in an address; use the option auth_file or auth_env`);
  }
  const hosts = authority.split(",").map((one) => {
    const [, v6, name, port = String(defaultPort)] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(one) ?? [];
    const host = v6 ?? name;
    if (host === undefined || Number(port) < 1 || Number(port) > 65535) {
      throw new BadInput(`--source ${text}: expected HOST:PORT, got "${one}"`);
    }
    return { host, port: Number(port) };
  });
  return { kind, hosts, path: path.replace(/\/+$/, ""), options: new Map(new URLSearchParams(query)) };
}

/**
 * A secret: the contents of the file `auth_file`, or the environment variable that `auth_env` names. Undefined: none is
 * asked for. Throws BadInput where it is missing.
 */
export function secretOf({ options }: SourceUrl): string | undefined {
  const [file, variable] = [options.get("auth_file"), options.get("auth_env")];
  if (file !== undefined) {
    try {
      return readFileSync(file, "utf8").trim();
    } catch (error) {
      throw new BadInput(`auth_file: ${(error as Error).message}`);
    }
  }
  if (variable === undefined) return undefined;
  const value = process.env[variable];
  if (!value) throw new BadInput(`auth_env: the environment variable ${variable} is not set`);
  return value;
}
