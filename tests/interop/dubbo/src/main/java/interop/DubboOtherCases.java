package interop;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.dubbo.common.Version;
import org.apache.dubbo.rpc.RpcContext;

/**
 * Other serializations than Hessian (fastjson2 in Dubbo 3, which the proxy reads; Java's own in 2.7, which it does not),
 * and Triple. Both need a server of the same version.
 */
final class DubboOtherCases {
    private static final String SERIALIZATION = Version.getVersion().startsWith("2.") ? "java" : "fastjson2";

    private final String run;
    private final Map<String, DubboPeer> peers;

    /** {@code peers}: as the client's arguments name them. */
    DubboOtherCases(String run, Map<String, DubboPeer> peers) {
        this.run = run;
        this.peers = peers;
    }

    void addTo(Cases cases) {
        addCalls(cases, "other serialization: ", () -> peers.get("other").service(SERIALIZATION));
        addCalls(cases, "triple on the port of RPC: ", () -> peers.get("triple").triple());
        addCalls(cases, "triple as HTTP: ", () -> peers.get("http").triple());
        cases.add("other serialization: one-way", this::oneway);
        cases.add("other serialization: heartbeat", this::heartbeat);
        cases.add(
                "proxy other serialization: slow",
                extras -> {
                    DubboService service = peers.get("other").service(SERIALIZATION);
                    Object found = DubboProxyCases.failure(() -> service.slow(run + "other slow", 4000));
                    extras.put("next call", service.sayHello("again"));
                    return found;
                });
        cases.add(
                "proxy other serialization: limited",
                extras -> {
                    DubboService service = peers.get("other").service(SERIALIZATION);
                    return DubboProxyCases.limited(run + "other ", extras, peers.get("main").service(), service);
                });
    }

    /** A consumer, made when its case runs. */
    private interface Consumer {
        DubboService get();
    }

    private void addCalls(Cases cases, String prefix, Consumer consumer) {
        cases.add(prefix + "hello", extras -> consumer.get().sayHello("é 订单 \uD83D\uDE80"));
        cases.add(prefix + "null", extras -> consumer.get().nothing("x"));
        cases.add(prefix + "pojo", extras -> consumer.get().reprice(Order.sample(), 4200));
        cases.add(prefix + "1 MiB", extras -> consumer.get().echo(Report.bytes(1 << 20)));
        cases.add(prefix + "future", extras -> consumer.get().later("x").get(DubboPeer.TIMEOUT, TimeUnit.MILLISECONDS));
        cases.fails(prefix + "declared exception", OrderException.class, extras -> consumer.get().fail("checked"));
        cases.add(
                prefix + "attachments",
                extras -> {
                    DubboService service = consumer.get();
                    RpcContext.getContext().setAttachment("x-user", "u1");
                    Map<String, String> seen = service.attachments();
                    extras.put("answer", DubboAnswers.last().get("x-answer"));
                    RpcContext.getContext().clearAttachments();
                    // In HTTP the proxy's own headers are attachments, too.
                    return seen.get("x-user");
                });
    }

    private Object oneway(Map<String, Object> extras) {
        DubboService oneway = peers.get("other").oneway(SERIALIZATION);
        for (int i = 0; i < 3; i++) oneway.ping(run + "other");
        DubboService service = peers.get("other").service(SERIALIZATION);
        Pause.until(() -> service.recorded(run + "other") >= 3, 3000);
        Pause.millis(300);
        return service.recorded(run + "other");
    }

    private Object heartbeat(Map<String, Object> extras) {
        DubboService service = peers.get("other").service(SERIALIZATION);
        int port = service.peerPort();
        Pause.millis(3500);
        extras.put("same connection", service.peerPort() == port);
        return service.sayHello("after");
    }
}
