import { Bytes } from "../../../assembly/bytes/bytes";
import { ConfigErrors } from "../../../assembly/config/errors";
import { FilterRegistry } from "../../../assembly/stream/registry";
import { ProxyConfig } from "../../../assembly/proxy/config";
import { ClusterConfig, LbType } from "../../../assembly/upstream/cluster_config";
import { TestRequest, clusterOf } from "../router/request";

const KNOWN: string[] = ["bolt", "boltv2", "x_example"];

/** Reads a text, in which ' stands for ". */
function read(text: string, errors: ConfigErrors): ProxyConfig | null {
  const bytes = Bytes.of(text.replaceAll("'", '"'));
  return ProxyConfig.parse(bytes.ptr, bytes.length, errors, KNOWN, new FilterRegistry());
}

/** The configuration in a text that is one. */
function accepted(text: string): ProxyConfig {
  const errors = new ConfigErrors();
  const config = read(text, errors);
  assert(config !== null, errors.message);
  return config as ProxyConfig;
}

/** The error of a text, without its place; "accepted" when there is none. */
function refused(text: string): string {
  const errors = new ConfigErrors();
  if (read(text, errors) !== null) return "accepted";
  const from = errors.message.indexOf(" (line ");
  return from < 0
    ? errors.message
    : errors.message.substring(0, from) + errors.message.substring(errors.message.indexOf(")", from) + 1);
}

function cluster(text: string): ClusterConfig {
  return accepted(`{'clusters':{'c':{${text}}}}`).cluster(Bytes.of("c"));
}

function refusedCluster(text: string): string {
  return refused(`{'clusters':{'c':{${text}}}}`).replace("clusters.c", "C");
}

describe("the configuration of the proxy", () => {
  test("has defaults for everything", () => {
    const texts = ["", "{}", " {\n} ", "{'protocols':null,'router':null,'clusters':{},'stream_filters':[]}"];
    for (let i = 0; i < texts.length; i++) {
      const config = accepted(texts[i]);
      expect(config.protocols.join()).toBe("bolt,boltv2,x_example");
      expect(config.fallbackCluster === null).toBe(true);
      expect(clusterOf(config.router, new TestRequest())).toBe("upstream");
      expect(config.maxFrameBytes).toBe(16777216);
      expect(config.maxConnectionBytes).toBe(67108864);
      expect(config.detectTimeoutMs).toBe(10000);
      expect(config.keepalive.intervalMs).toBe(15000);
      expect(config.keepalive.timeoutMs).toBe(1000);
      expect(config.keepalive.maxFailures).toBe(6);
      expect(config.goaway).toBe(false);
      expect(config.drainCheckMs).toBe(10000);
    }
  });

  test("has what is given", () => {
    const config = accepted(
      `{'protocols':['x_example','bolt'],'fallback':'cluster:raw','max_frame_bytes':1024,'max_connection_bytes':65536,
        'detect_timeout_ms':5,'keepalive':{'interval_ms':0,'timeout_ms':2,'max_failures':3},'goaway':true,'drain_check_ms':0,
        'router':{'virtual_hosts':[{'domains':['*'],'routers':[{'route':{'cluster_name':'c'}}]}]}}`,
    );
    expect(config.protocols.join()).toBe("x_example,bolt");
    const fallback = config.fallbackCluster;
    expect(fallback !== null && fallback.toString() == "raw").toBe(true);
    expect(config.maxFrameBytes).toBe(1024);
    expect(config.maxConnectionBytes).toBe(65536);
    expect(config.detectTimeoutMs).toBe(5);
    expect(config.keepalive.intervalMs).toBe(0);
    expect(config.keepalive.timeoutMs).toBe(2);
    expect(config.keepalive.maxFailures).toBe(3);
    expect(config.goaway).toBe(true);
    expect(config.drainCheckMs).toBe(0);
    expect(clusterOf(config.router, new TestRequest())).toBe("c");
  });

  test("names what is wrong", () => {
    expect(refused("[]")).toBe("configuration: expected an object, got an array");
    expect(refused("{")).toBe("configuration: invalid JSON: expected a key in double quotes");
    expect(refused("{'protocol':'bolt'}")).toBe(
      'configuration: unknown field "protocol"; allowed: protocols, fallback, allowed_clusters, router, stream_filters, max_frame_bytes, ' +
        "max_connection_bytes, detect_timeout_ms, frame_timeout_ms, max_request_timeout, min_counted_timeout, keepalive, " +
        'exceptions_are_errors, goaway, strict_changes, drain_check_ms, switchboard, clusters; did you mean "protocols"?',
    );
    expect(refused("{'protocols':[]}")).toBe("protocols: must not be empty; leave it out for bolt, boltv2, x_example");
    expect(refused("{'protocols':'bolt'}")).toBe('protocols: expected an array, got "bolt"');
    expect(refused("{'protocols':['bolt','dubbo']}")).toBe(
      'protocols[1]: unknown protocol "dubbo"; allowed: bolt, boltv2, x_example',
    );
    expect(refused("{'protocols':['bolt','bolt']}")).toBe(
      'protocols[1]: duplicate protocol "bolt"; allowed: bolt, boltv2, x_example',
    );
    expect(refused("{'fallback':'open'}")).toBe('fallback: expected "close" or "cluster:NAME"');
    expect(refused("{'fallback':'cluster:'}")).toBe('fallback: expected "close" or "cluster:NAME"');
    expect(refused("{'fallback':'cluster:a b'}")).toBe('fallback: expected "close" or "cluster:NAME"');
    expect(refused("{'stream_filters':[{'type':'fault'}]}")).toBe(
      'stream_filters[0].type: unknown filter type "fault"; no stream filter types are compiled in',
    );
    expect(refused("{'max_frame_bytes':1023}")).toBe(
      "max_frame_bytes: expected an integer from 1024 to 67108864, got 1023",
    );
    expect(refused("{'max_frame_bytes':67108865}")).toBe(
      "max_frame_bytes: expected an integer from 1024 to 67108864, got 67108865",
    );
    expect(refused("{'max_connection_bytes':65536}")).toBe(
      "max_connection_bytes: must not be less than max_frame_bytes, which is 16777216",
    );
    expect(refused("{'drain_check_ms':-1}")).toBe("drain_check_ms: expected an integer from 0 to 600000, got -1");
    expect(refused("{'frame_timeout_ms':600001}")).toBe(
      "frame_timeout_ms: expected an integer from 0 to 600000, got 600001",
    );
    expect(refused("{'detect_timeout_ms':0}")).toBe("detect_timeout_ms: expected an integer from 1 to 600000, got 0");
    expect(refused("{'keepalive':{'interval_ms':-1}}")).toBe(
      "keepalive.interval_ms: expected an integer from 0 to 3600000, got -1",
    );
    expect(refused("{'keepalive':{'timeout_ms':0}}")).toBe(
      "keepalive.timeout_ms: expected an integer from 1 to 3600000, got 0",
    );
    expect(refused("{'keepalive':{'max_failures':0}}")).toBe(
      "keepalive.max_failures: expected an integer from 1 to 1000, got 0",
    );
    expect(refused("{'keepalive':{'interval':'1s'}}")).toBe(
      'keepalive: unknown field "interval"; allowed: interval_ms, timeout_ms, max_failures; did you mean "interval_ms"?',
    );
    expect(refused("{'goaway':1}")).toBe("goaway: expected true or false, got 1");
    expect(refused("{'router':{'virtual_hosts':[{'domains':['*'],'routers':[{'route':{}}]}]}}")).toBe(
      "router.virtual_hosts[0].routers[0]: expected one of a cluster in route, direct_response, redirect",
    );
  });

  test("survives any bytes", () => {
    const bytes = Bytes.copy(Bytes.of("{'max_frame_bytes':2048}").ptr, 24);
    for (let i = 0; i < 24; i++) {
      for (let c = 0; c < 256; c++) {
        const kept = load<u8>(bytes.ptr + i);
        store<u8>(bytes.ptr + i, c as u8);
        const errors = new ConfigErrors();
        const config = ProxyConfig.parse(bytes.ptr, 24, errors, KNOWN, new FilterRegistry());
        assert((config === null) == errors.failed);
        store<u8>(bytes.ptr + i, kept);
      }
    }
  });
});

describe("clusters", () => {
  test("have defaults", () => {
    const given = cluster("");
    const absent = accepted("{'keepalive':{'interval_ms':7}}").cluster(Bytes.of("other"));
    expect(given.lbType).toBe(LbType.ROUND_ROBIN);
    expect(given.connections).toBe(1);
    expect(given.maxRequests).toBe(0);
    expect(given.maxRetries).toBe(0);
    expect(given.maxPendingRequests).toBe(0);
    expect(given.connectTimeoutMs).toBe(5000);
    expect(given.openTimeoutMs).toBe(5250);
    expect(given.hostWeights.length).toBe(0);
    expect(given.keepalive.intervalMs).toBe(15000);
    expect(absent.connections).toBe(1);
    expect(absent.keepalive.intervalMs).toBe(7);
    expect(absent.keepalive.timeoutMs).toBe(1000);
    expect(absent.name.toString()).toBe("other");
  });

  test("4,096 may be named", () => {
    let names = "'c0':{}";
    for (let i = 1; i < 4096; i++) names += `,'c${i}':{}`;
    expect(accepted(`{'clusters':{${names}}}`).cluster(Bytes.of("c4095")).connections).toBe(1);
    expect(refused(`{'clusters':{${names},'c4096':{}}}`)).toBe("clusters: more than 4096 clusters");
  });

  test("have what is given", () => {
    const names = ["LB_ROUNDROBIN", "LB_RANDOM", "LB_WEIGHTED_ROUNDROBIN", "LB_LEAST_REQUEST", "LB_MAGLEV"];
    for (let i = 0; i < names.length; i++) expect(cluster(`'lb_type':'${names[i]}'`).lbType as i32).toBe(i, names[i]);
    const all = cluster(
      `'connections':64,'max_requests':4294967295,'max_retries':2,'max_pending_requests':3,'connect_timeout':'1s',
       'keepalive':{'interval_ms':9},'lb_type':'LB_WEIGHTED_ROUNDROBIN','host_weights':{'10.0.0.1:80':128,'[::1]:1':1}`,
    );
    expect(all.connections).toBe(64);
    expect(all.maxRequests).toBe(u32.MAX_VALUE);
    expect(all.maxRetries).toBe(2);
    expect(all.maxPendingRequests).toBe(3);
    expect(all.connectTimeoutMs).toBe(1000);
    expect(all.keepalive.intervalMs).toBe(9);
    expect(all.keepalive.maxFailures).toBe(6);
    expect(all.weightedHosts[0].toString()).toBe("10.0.0.1:80");
    expect(all.hostWeights[0]).toBe(128);
    expect(all.weightedHosts[1].toString()).toBe("[::1]:1");
    expect(cluster("'connect_timeout_ms':2000").openTimeoutMs).toBe(2250);
    // Never so early that Envoy takes it for an attack.
    expect(cluster("'connect_timeout_ms':300").openTimeoutMs).toBe(1000);
    expect(cluster("'connect_timeout_ms':300,'connect_timeout':'300ms'").connectTimeoutMs).toBe(300);
  });

  test("may have MOSN's circuit breakers, as MOSN and as its documents spell them", () => {
    const limits = "{'max_connections':2,'max_requests':3,'max_retries':4,'max_pending_requests':5}";
    const texts = [`'circuit_breakers':[${limits}]`, `'circuit_breakers':{'Thresholds':[${limits}]}`];
    for (let i = 0; i < texts.length; i++) {
      const config = cluster(texts[i] + ",'max_requests':3");
      expect(config.connections).toBe(2);
      expect(config.maxRequests).toBe(3);
      expect(config.maxRetries).toBe(4);
      expect(config.maxPendingRequests).toBe(5);
    }
    expect(cluster("'circuit_breakers':[]").connections).toBe(1);
    expect(cluster("'circuit_breakers':{}").connections).toBe(1);
    expect(cluster("'circuit_breakers':[{'max_connections':0}],'connections':3").connections).toBe(3);
  });

  test("are refused with what is wrong", () => {
    expect(refused("{'clusters':[]}")).toBe("clusters: expected an object, got an array");
    expect(refused("{'clusters':{'':{}}}")).toBe(
      "clusters: the name of a cluster must be of 1 to 255 visible ASCII characters",
    );
    expect(refused("{'clusters':{'c':1}}")).toBe("clusters.c: expected an object, got 1");
    expect(refusedCluster("'lb_type':'LB_X'")).toBe(
      'C.lb_type: expected one of "LB_ROUNDROBIN", "LB_RANDOM", "LB_WEIGHTED_ROUNDROBIN", "LB_LEAST_REQUEST", ' +
        '"LB_MAGLEV", got "LB_X"',
    );
    expect(refusedCluster("'connections':0")).toBe("C.connections: expected an integer from 1 to 64, got 0");
    expect(refusedCluster("'connections':65")).toBe("C.connections: expected an integer from 1 to 64, got 65");
    expect(refusedCluster("'max_requests':4294967296")).toBe(
      "C.max_requests: expected an integer from 0 to 4294967295, got 4294967296",
    );
    expect(refusedCluster("'connect_timeout_ms':0")).toBe(
      "C.connect_timeout_ms: expected an integer from 1 to 600000, got 0",
    );
    expect(refusedCluster("'connect_timeout':'0s'")).toBe(
      'C.connect_timeout: expected a duration from 1ms to 10m, got "0s"',
    );
    expect(refusedCluster("'connect_timeout':'1s','connect_timeout_ms':2")).toBe(
      "C.connect_timeout: contradicts connect_timeout_ms, which is 2",
    );
    expect(refusedCluster("'circuit_breakers':[{'max_requests':1}],'max_requests':2")).toBe(
      "C.circuit_breakers[0].max_requests: contradicts clusters.c.max_requests, which is 2",
    );
    expect(refusedCluster("'circuit_breakers':{'Thresholds':[{'max_connections':1}]},'connections':2")).toBe(
      "C.circuit_breakers.Thresholds[0].max_connections: contradicts clusters.c.connections, which is 2",
    );
    expect(refusedCluster("'circuit_breakers':[{},{}]")).toBe("C.circuit_breakers: expected at most one threshold");
    expect(refusedCluster("'circuit_breakers':[{'max':1}]")).toBe(
      'C.circuit_breakers[0]: unknown field "max"; allowed: max_connections, max_requests, max_pending_requests, max_retries',
    );
    expect(refusedCluster("'circuit_breakers':1")).toBe("C.circuit_breakers: expected an object, got 1");
    expect(refusedCluster("'host_weights':{'1.1.1.1:1':1}")).toBe(
      'C.host_weights: has no effect without "lb_type": "LB_WEIGHTED_ROUNDROBIN"',
    );
    const weighted = (text: string): string =>
      refusedCluster(`'lb_type':'LB_WEIGHTED_ROUNDROBIN','host_weights':{${text}}`).replace("C.host_weights.", "");
    const form = ': expected the weight of a host named like "10.0.0.1:12200", without leading zeros';
    expect(weighted("'010.0.0.1:80':1")).toBe("010.0.0.1:80" + form);
    expect(weighted("'10.0.0.01:80':1")).toBe("10.0.0.01:80" + form);
    expect(weighted("'localhost:80':1")).toBe("localhost:80" + form);
    expect(weighted("'[::1]:80':1,'[0:0::0001]:80':2")).toBe("[0:0::0001]:80: is [::1]:80, which has a weight already");
    expect(weighted("'[::ffff:10.0.0.1]:80':1,'10.0.0.1:80':2")).toBe(
      "10.0.0.1:80: is 10.0.0.1:80, which has a weight already",
    );
    expect(weighted("'a':1")).toBe("a" + form);
    expect(weighted("'a:':1")).toBe("a:" + form);
    expect(weighted("'a:0':1")).toBe("a:0" + form);
    expect(weighted("'a:65536':1")).toBe("a:65536" + form);
    expect(weighted("'::1:80':1")).toBe("::1:80" + form);
    expect(weighted("'1.1.1.1:1':0")).toBe("1.1.1.1:1: expected an integer from 1 to 128, got 0");
    expect(refusedCluster("'weight':1").startsWith('C: unknown field "weight"; allowed: ')).toBe(true);
  });
});
