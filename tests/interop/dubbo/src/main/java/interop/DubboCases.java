package interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.dubbo.remoting.RemotingException;
import org.apache.dubbo.rpc.RpcContext;
import org.apache.dubbo.rpc.RpcException;

/** The cases that run direct and through the proxy, with the same outcome. */
final class DubboCases {
    private static final String[] STRING = {"java.lang.String"};

    private final String run;
    private final DubboPeer peer;
    private final DubboPeer gray;

    DubboCases(String run, DubboPeer peer, DubboPeer gray) {
        this.run = run;
        this.peer = peer;
        this.gray = gray;
    }

    void addTo(Cases cases) {
        addCalls(cases);
        addForms(cases);
        addFailures(cases);
        addConnection(cases);
    }

    private void addCalls(Cases cases) {
        cases.add("hello", extras -> peer.service().sayHello("world"));
        cases.add("text", extras -> peer.service().sayHello("é 订单 \uD83D\uDE80"));
        cases.add("null", extras -> peer.service().nothing("x"));
        cases.add("pojo", extras -> peer.service().reprice(Order.sample(), 4200));
        cases.add("collections", extras -> collections(peer.service()));
        cases.add("0 bytes", extras -> peer.service().echo(new byte[0]));
        cases.add("64 KiB", extras -> peer.service().echo(Report.bytes(1 << 16)));
        cases.add("1 MiB", extras -> peer.service().echo(Report.bytes(1 << 20)));
        cases.add("1 MiB of text", extras -> megabyteOfText());
        cases.add("group and version", extras -> peer.service("g", "1.2").sayHello("group"));
    }

    /** A map and a list of objects; one object comes twice. */
    static List<Order> collections(DubboService service) {
        Map<String, Order> orders = new LinkedHashMap<>();
        Order shared = Order.sample();
        orders.put("a", shared);
        orders.put("b", Order.sample());
        // The same object again: a reference on the wire.
        orders.put("c", shared);
        return service.collect(orders, new ArrayList<>(Arrays.asList(1L, Long.MAX_VALUE, -7L)));
    }

    private Object megabyteOfText() {
        StringBuilder text = new StringBuilder();
        while (text.length() < 1 << 19) text.append("a订\uD83D\uDE80");
        String answer = peer.service().sayHello(text.toString());
        return answer.length() + " " + answer.equals("Hello " + text);
    }

    private void addForms(Cases cases) {
        cases.add("one-way", this::oneway);
        cases.add(
                "async",
                extras -> {
                    DubboService service = peer.service();
                    Future<String> answer = RpcContext.getContext().asyncCall(() -> service.sayHello("async"));
                    return answer.get(DubboPeer.TIMEOUT, TimeUnit.MILLISECONDS);
                });
        cases.add("future", extras -> peer.service().later("x").get(DubboPeer.TIMEOUT, TimeUnit.MILLISECONDS));
        cases.add("generic", extras -> peer.generic().$invoke("sayHello", STRING, new Object[] {"generic"}));
        cases.add("generic pojo", extras -> genericPojo());
        cases.add(
                "attachments",
                extras -> {
                    DubboService service = peer.service();
                    RpcContext.getContext().setAttachment("x-user", "u1").setAttachment("x-text", "值 ✓");
                    Map<String, String> seen = service.attachments();
                    extras.put("answer", DubboAnswers.last());
                    RpcContext.getContext().clearAttachments();
                    return seen;
                });
        cases.add("attachment that is an object", extras -> attachObject(peer.service()));
        cases.add("tag", extras -> tag(extras, null));
        cases.add("tag of a route", extras -> tag(extras, "tags"));
    }

    /** The argument is an attachment, too: Hessian writes a reference to it. */
    static Object attachObject(DubboService service) {
        Order order = Order.sample();
        RpcContext.getContext().setObjectAttachment("x-order", order);
        String found = service.sameOrder(order);
        RpcContext.getContext().clearAttachments();
        return found;
    }

    /** Where calls of the group go with a tag, before and after. */
    private Object tag(Map<String, Object> extras, String group) {
        extras.put("without", peer.service(group, null).where());
        DubboService service = gray.service(group, null);
        RpcContext.getContext().setAttachment("dubbo.tag", "gray");
        String tagged = service.where();
        // Dubbo 2.7 keeps it for the thread's next calls.
        RpcContext.getContext().clearAttachments();
        extras.put("afterwards", peer.service(group, null).where());
        return tagged;
    }

    private Object oneway(Map<String, Object> extras) {
        DubboService oneway = peer.oneway(null);
        DubboService service = peer.service();
        return SharedCases.oneway(() -> oneway.ping(run + "oneway"), () -> service.recorded(run + "oneway"));
    }

    private Object genericPojo() {
        Map<String, Object> order = new LinkedHashMap<>();
        order.put("class", Order.class.getName());
        order.put("id", "generic");
        order.put("cents", 1L);
        order.put("weight", 2.5);
        order.put("lines", new ArrayList<>(Arrays.asList("a", "b")));
        String[] types = {Order.class.getName(), "long"};
        Object answer = peer.generic().$invoke("reprice", types, new Object[] {order, 99L});
        return new TreeMap<>((Map<?, ?>) answer);
    }

    private void addFailures(Cases cases) {
        cases.fails(
                "declared exception",
                OrderException.class,
                extras -> {
                    try {
                        return peer.service().fail("checked");
                    } catch (OrderException expected) {
                        extras.put("code", expected.getCode());
                        throw expected;
                    }
                });
        cases.fails("undeclared exception", IllegalStateException.class, extras -> peer.service().fail("unchecked"));
        cases.add("timeout", this::timeout);
        cases.add("no group", extras -> failure(extras, () -> peer.service("nope", null).sayHello("x")));
        cases.add(
                "no method",
                extras -> failure(extras, () -> peer.generic().$invoke("nope", STRING, new Object[] {"x"})));
    }

    /** The exception's code and the transport's exception below it, with its message. */
    static Object failure(Map<String, Object> extras, Callable<?> call) throws Exception {
        try {
            return call.call();
        } catch (RpcException expected) {
            Throwable cause = expected;
            while (cause != null && !(cause instanceof RemotingException)) cause = cause.getCause();
            extras.put("reason", cause == null ? null : reason(cause.getMessage()));
            return "RpcException " + expected.getCode() + ", " + (cause == null ? null : cause.getClass().getName());
        }
    }

    /**
     * The message, masked. Of a timeout only that it is one: Dubbo 3 sends its timeout along, so that the proxy's answer
     * (that one word) and the client's own clock come at the same time.
     */
    private static String reason(String message) {
        boolean timeout = message.startsWith("Waiting server-side response timeout") || message.equals("timeout");
        return timeout ? "a timeout" : Report.mask(message);
    }

    private Object timeout(Map<String, Object> extras) throws Exception {
        DubboService service = peer.service(300);
        service.sayHello("before");
        long start = System.nanoTime();
        try {
            return failure(extras, () -> service.slow(run + "timeout", 1200));
        } finally {
            long millis = (System.nanoTime() - start) / 1_000_000;
            extras.put("before the answer", millis >= 290 && millis < 1190);
            // The late answer must not reach a later call.
            Pause.millis(1200);
            extras.put("next call", peer.service().sayHello("again"));
            extras.put("executed", peer.service().recorded(run + "timeout"));
        }
    }

    private void addConnection(Cases cases) {
        cases.add("800 calls from 16 threads", extras -> SharedCases.manyCalls(peer.service()::sayHello));
        cases.add(
                "heartbeat",
                extras -> {
                    DubboService service = peer.service();
                    int port = service.peerPort();
                    Pause.millis(3500);
                    extras.put("same connection", service.peerPort() == port);
                    return service.sayHello("after");
                });
    }
}
