// Resources of Istio for the tests of istio-routes.

export const HOST = "orders.shop.svc.cluster.local";
export const resource = (kind: string, name: string, spec: object, more: object = {}) => ({
  apiVersion: kind === "Service" ? "v1" : "networking.istio.io/v1",
  kind,
  metadata: { name, namespace: "shop", ...more },
  spec,
});
export const annotated = (services: string) => ({ annotations: { "moe.mosn.io/services": services } });
export const service = (name: string, more: object = {}, port = 12200, portName = "tcp-bolt") =>
  resource("Service", name, { clusterIP: "None", ports: [{ name: portName, port }] }, more);
export const ORDERS = service("orders", annotated("com.example.Orders:*"));
export const SUBSETS = ["v1", "v2"].map((name) => ({ name, labels: { version: name } }));
export const rule = (spec: object = {}) =>
  resource("DestinationRule", "orders", { host: "orders", subsets: SUBSETS, ...spec });
export const to = (subset: string, more: object = {}) => ({ destination: { host: "orders", subset }, ...more });
export const virtualService = (...http: object[]) => resource("VirtualService", "orders", { hosts: ["orders"], http });

export const V1 = `outbound|12200|v1|${HOST}`;
export const V2 = `outbound|12200|v2|${HOST}`;
export const GO = { route: [to("v1")] };
