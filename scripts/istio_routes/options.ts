// Whose plugin is made, and of what.

export interface Options {
  /** Namespace of the plugin and its workloads, and of resources that name none. */
  namespace: string;
  /** Labels of the client workloads; none: all of the namespace. */
  selector: Record<string, string>;
  /** `NAMESPACE/NAME` of a Gateway whose workloads get the plugin, instead of sidecars. */
  gateway?: string;
  /** Beginning of the plugins' names; the port follows. */
  name: string;
  /** Only these ports, whatever they are called; none: those whose names say a protocol of the module. */
  ports: number[];
  /** Where Istio finds the module. */
  url: string;
  sha256?: string;
  /** The cluster of istio/switchboard.yaml. */
  switchboard: string;
  /** What ends the full names of Services. */
  domain: string;
  /** The mesh's `connectTimeout`, milliseconds. */
  connectTimeoutMs: number;
}

export const DEFAULTS = {
  namespace: "default",
  selector: {},
  name: "moe-client",
  ports: [],
  switchboard: "moe-switchboard",
  domain: "cluster.local",
  // Of Istio's MeshConfig.
  connectTimeoutMs: 10_000,
} satisfies Partial<Options>;

/** Whether the plugin's workloads have these labels: undefined where some of them may have others. */
export function haveLabels(options: Options, labels: Record<string, string>): boolean | undefined {
  const entries = Object.entries(labels);
  if (entries.some(([key, value]) => key in options.selector && options.selector[key] !== value)) return false;
  return entries.every(([key]) => key in options.selector) ? true : undefined;
}

/** The full name of a host: a name without a dot is of a Service of the namespace, as Istio has it. */
export function fullName(host: string, namespace: string, { domain }: Options): string {
  return host.includes(".") || host.startsWith("*") ? host : `${host}.${namespace}.svc.${domain}`;
}

/** Whether a host is the pattern, or ends as `*.example.com` says. */
export function matchesHost(pattern: string, host: string): boolean {
  return pattern.startsWith("*") ? host.endsWith(pattern.slice(1)) : pattern === host;
}
