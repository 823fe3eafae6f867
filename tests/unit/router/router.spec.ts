import { Bytes } from "../../../assembly/bytes/bytes";
import { View } from "../../../assembly/bytes/view";
import { ConfigErrors } from "../../../assembly/config/errors";
import { parseJson } from "../../../assembly/config/json";
import { RouterOptions } from "../../../assembly/router/builder";
import { RouteInput } from "../../../assembly/router/input";
import { Router } from "../../../assembly/router/router";

/** A request made of texts. */
class TestInput extends RouteInput {
  headers: Map<string, Bytes> = new Map<string, Bytes>();
  variables: Map<string, Bytes> = new Map<string, Bytes>();
  pathText: Bytes = Bytes.EMPTY;
  hostText: Bytes = Bytes.EMPTY;
  serviceText: Bytes = Bytes.EMPTY;
  methodText: Bytes = Bytes.EMPTY;
  address: Bytes = Bytes.EMPTY;

  header(key: usize, keyLength: i32, out: View): bool {
    const name = String.UTF8.decodeUnsafe(key, keyLength, false);
    return this.headers.has(name) && point(this.headers.get(name), out);
  }
  variable(name: Bytes, out: View): bool {
    return this.variables.has(name.toString()) && point(this.variables.get(name.toString()), out);
  }
  path(out: View): bool {
    return point(this.pathText, out);
  }
  host(out: View): bool {
    return this.hostText.length > 0 && point(this.hostText, out);
  }
  method(out: View): bool {
    return this.methodText.length > 0 && point(this.methodText, out);
  }
  service(out: View): bool {
    return this.serviceText.length > 0 && point(this.serviceText, out);
  }
  sourceAddress(out: View): bool {
    return point(this.address, out);
  }
}

function point(bytes: Bytes, out: View): bool {
  out.set(bytes.ptr, bytes.length);
  return true;
}

function build(text: string, errors: ConfigErrors): Router {
  const bytes = Bytes.of(text);
  const value = parseJson(bytes.ptr, bytes.length, errors);
  return Router.parse(value, "router", errors, new RouterOptions());
}

describe("Router", () => {
  test("sends everything to the default cluster", () => {
    const input = new TestInput();
    const route = Router.toCluster("upstream").match(input);
    expect(route !== null).toBe(true);
    if (route !== null) {
      const choice = route.pickCluster(input);
      expect(choice !== null && choice.name.toString() == "upstream").toBe(true);
    }
  });
  test("refuses", () => {
    const errors = new ConfigErrors();
    build(
      '{"virtual_hosts":[{"domains":["*"],"routers":[{"match":{},"route":{"cluster_name":"x","timeout":true}}]}]}',
      errors,
    );
    expect(errors.message).toBe(
      'router.virtual_hosts[0].routers[0].route.timeout (line 1, column 97): expected a duration such as "3s", got true',
    );
  });
});
