package interop;

import com.alipay.hessian.generic.model.GenericObject;
import com.alipay.remoting.Connection;
import com.alipay.sofa.rpc.api.future.SofaResponseFuture;
import com.alipay.sofa.rpc.context.RpcInvokeContext;
import com.alipay.sofa.rpc.core.exception.SofaRpcException;
import com.alipay.sofa.rpc.core.exception.SofaTimeOutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** The cases of SOFARPC 5: always Bolt v1, always with a header block. */
final class SofaCases {
    private static final String[] STRING = {"java.lang.String"};

    private final String run;
    private final SofaPeer peer;

    SofaCases(String run, String address) {
        this.run = run;
        this.peer = new SofaPeer(address);
    }

    void addTo(Cases cases) {
        addCalls(cases);
        addFailures(cases);
        addForms(cases);
        addConnection(cases);
        addProxy(cases);
    }

    /** What only the proxy does: calls of these unique ids are over their limit, and answered with different statuses. */
    private void addProxy(Cases cases) {
        for (String id : new String[] {"limited", "explained"}) {
            cases.add(
                    "proxy sofa " + id,
                    extras -> {
                        HelloService service =
                                peer.<HelloService>consumer("sync", SofaPeer.TIMEOUT).setUniqueId(id).refer();
                        Object found = failure(() -> service.sayHello("x"));
                        extras.put("others", peer.sync().sayHello("others"));
                        return found;
                    });
        }
        cases.add(
                "proxy sofa callback limited",
                extras -> {
                    CompletableFuture<Object> answer = new CompletableFuture<>();
                    SofaPeer.callback(peer.<HelloService>consumer("callback", SofaPeer.TIMEOUT), answer)
                            .setUniqueId("limited")
                            .refer()
                            .sayHello("x");
                    return failure(() -> outcome(answer));
                });
    }

    /** How a call failed: the exception, its type and message, and the last of its causes. */
    private static Object failure(Callable<?> call) throws Exception {
        Map<String, Object> found = new LinkedHashMap<>();
        try {
            found.put("result", call.call());
        } catch (SofaRpcException thrown) {
            Throwable cause = thrown;
            while (cause.getCause() != null) cause = cause.getCause();
            found.put("exception", thrown.getClass().getSimpleName());
            found.put("type", thrown.getErrorType());
            found.put("message", Report.mask(thrown.getMessage()));
            found.put("cause", cause.getClass().getSimpleName() + ": " + Report.mask(cause.getMessage()));
        }
        return found;
    }

    private void addCalls(Cases cases) {
        cases.add("sofa sync", extras -> peer.sync().sayHello("world"));
        cases.add(
                "sofa future",
                extras -> {
                    HelloService service = peer.<HelloService>consumer("future", SofaPeer.TIMEOUT).refer();
                    extras.put("returned", service.sayHello("future"));
                    return SofaResponseFuture.getResponse(SofaPeer.TIMEOUT, true);
                });
        cases.add(
                "sofa callback",
                extras -> {
                    CompletableFuture<Object> answer = new CompletableFuture<>();
                    extras.put("returned", peer.callback(SofaPeer.TIMEOUT, answer).sayHello("callback"));
                    return answer.get(SofaPeer.TIMEOUT, TimeUnit.MILLISECONDS);
                });
        cases.add("sofa oneway", this::oneway);
        cases.add("sofa null", extras -> peer.sync().nothing("null"));
        cases.add(
                "sofa void",
                extras -> {
                    peer.sync().touch(run + "void");
                    return peer.sync().recorded(run + "void");
                });
        cases.add("sofa object", extras -> peer.sync().reprice(Order.sample(), 4200));
        cases.add("sofa 0 bytes", extras -> peer.sync().echo(new byte[0]));
        cases.add("sofa 64 KiB", extras -> peer.sync().echo(Report.bytes(65536)));
    }

    private Object oneway(Map<String, Object> extras) {
        HelloService oneway = peer.<HelloService>consumer("oneway", SofaPeer.TIMEOUT).refer();
        HelloService sync = peer.sync();
        return SharedCases.oneway(() -> oneway.ping(run + "oneway"), () -> sync.recorded(run + "oneway"));
    }

    private void addFailures(Cases cases) {
        cases.fails("sofa checked exception", OrderException.class, extras -> fail("checked", extras));
        cases.fails("sofa unchecked exception", IllegalStateException.class, extras -> fail("unchecked", extras));
        cases.fails("sofa error", AssertionError.class, extras -> fail("error", extras));
        cases.fails(
                "sofa callback exception",
                OrderException.class,
                extras -> {
                    CompletableFuture<Object> answer = new CompletableFuture<>();
                    peer.callback(SofaPeer.TIMEOUT, answer).fail("checked");
                    return outcome(answer);
                });
        cases.fails("sofa timeout", SofaTimeOutException.class, this::timeout);
        cases.fails(
                "sofa callback timeout",
                SofaTimeOutException.class,
                extras -> {
                    CompletableFuture<Object> answer = new CompletableFuture<>();
                    peer.callback(300, answer).slow(run + "callback timeout", 800);
                    return outcome(answer);
                });
        cases.fails(
                "sofa no service",
                SofaRpcException.class,
                extras -> peer.<HelloService>consumer("sync", SofaPeer.TIMEOUT).setUniqueId("nope").refer().sayHello("x"));
        cases.fails(
                "sofa no method",
                SofaRpcException.class,
                extras -> peer.generic().$invoke("nope", STRING, new Object[] {"x"}));
        cases.fails("sofa server busy", SofaRpcException.class, this::busy);
    }

    private Object fail(String kind, Map<String, Object> extras) throws OrderException {
        try {
            return peer.sync().fail(kind);
        } catch (OrderException expected) {
            extras.put("code", expected.getCode());
            throw expected;
        }
    }

    /** The value of {@code answer}, or the exception that it ended with. */
    private static Object outcome(CompletableFuture<Object> answer) throws Exception {
        try {
            return answer.get(SofaPeer.TIMEOUT, TimeUnit.MILLISECONDS);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof Exception) throw (Exception) failed.getCause();
            throw failed;
        }
    }

    private Object timeout(Map<String, Object> extras) {
        long start = System.nanoTime();
        try {
            return peer.sync(300).slow(run + "timeout", 800);
        } finally {
            long millis = (System.nanoTime() - start) / 1_000_000;
            extras.put("at the timeout", millis >= 290 && millis < 780);
            // The late answer must not reach a later call.
            Pause.millis(800);
            extras.put("next call", peer.sync().sayHello("again"));
            extras.put("executed", peer.sync().recorded(run + "timeout"));
        }
    }

    private Object busy(Map<String, Object> extras) throws Exception {
        HelloService service =
                peer.<HelloService>consumer("sync", SofaPeer.TIMEOUT).setUniqueId(Server.BUSY).refer();
        ExecutorService other = Executors.newSingleThreadExecutor();
        Future<String> first = other.submit(() -> service.slow("first", 800));
        Pause.millis(300);
        try {
            return service.sayHello("second");
        } finally {
            extras.put("first", first.get());
            extras.put("after it", service.sayHello("third"));
            other.shutdown();
        }
    }

    private void addForms(Cases cases) {
        cases.add("sofa generic", extras -> peer.generic().$invoke("sayHello", STRING, new Object[] {"generic"}));
        cases.add("sofa generic object", this::genericObject);
        cases.add(
                "sofa json",
                extras -> {
                    HelloService json =
                            peer.<HelloService>consumer("sync", SofaPeer.TIMEOUT).setSerialization("json").refer();
                    extras.put("object", json.reprice(Order.sample(), 4300));
                    return json.sayHello("json");
                });
        cases.add("sofa headers", extras -> headers());
        cases.add(
                "sofa baggage",
                extras -> {
                    RpcInvokeContext context = RpcInvokeContext.getContext();
                    context.putRequestBaggage("baggage", "carried ✓");
                    Object seen = peer.sync().properties("none");
                    extras.put("response", RpcInvokeContext.getContext().getResponseBaggage("baggage"));
                    RpcInvokeContext.removeContext();
                    return seen;
                });
    }

    private Object genericObject(Map<String, Object> extras) {
        GenericObject order = new GenericObject(Order.class.getName());
        order.putField("id", "generic");
        order.putField("cents", 1L);
        order.putField("weight", 2.5);
        order.putField("lines", new ArrayList<>(Arrays.asList("a", "b")));
        String[] types = {Order.class.getName(), "long"};
        Object answer = peer.generic().$genericInvoke("reprice", types, new Object[] {order, 99L});
        GenericObject repriced = (GenericObject) answer;
        extras.put("type", repriced.getType());
        return new TreeMap<>(repriced.getFields());
    }

    private Object headers() {
        RpcInvokeContext context = RpcInvokeContext.getContext();
        context.addCustomHeader("x-user", "u1");
        context.addCustomHeader("X-Upper", "Case");
        context.addCustomHeader("x-text", "值 ✓");
        return peer.sync().properties("x-");
    }

    private void addConnection(Cases cases) {
        cases.add("sofa replies out of order", this::outOfOrder);
        cases.add("sofa 800 calls from 16 threads", extras -> SharedCases.manyCalls(peer.sync()::sayHello));
        cases.add(
                "sofa heartbeat",
                extras -> {
                    peer.sync().sayHello("before");
                    Connection connection = peer.connection();
                    AckCounter.watch(connection, extras);
                    String after = peer.sync().sayHello("after");
                    extras.put("same connection", peer.connection() == connection);
                    return after;
                });
    }

    /** Five calls at once on one connection, the first the slowest: the order in which they end. */
    private Object outOfOrder(Map<String, Object> extras) throws Exception {
        HelloService service = peer.sync();
        ConcurrentLinkedQueue<String> ended = new ConcurrentLinkedQueue<>();
        ExecutorService threads = Executors.newFixedThreadPool(5);
        List<Future<String>> answers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            String name = "call " + i;
            long millis = (5 - i) * 200L;
            answers.add(
                    threads.submit(
                            () -> {
                                String answer = service.slow(name, millis);
                                ended.add(name);
                                return answer;
                            }));
        }
        List<String> each = new ArrayList<>();
        for (Future<String> answer : answers) each.add(answer.get());
        threads.shutdown();
        extras.put("answers", each);
        return new ArrayList<>(ended);
    }
}
