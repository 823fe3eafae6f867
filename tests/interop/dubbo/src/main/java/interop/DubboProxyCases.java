package interop;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.dubbo.remoting.RemotingException;
import org.apache.dubbo.rpc.RpcContext;

/** What only the proxy does: its own answers, and the second host. Routes go by the group. */
final class DubboProxyCases {
    private static final int AT_ONCE_MS = 3000;

    private final String run;
    private final DubboPeer peer;

    DubboProxyCases(String run, DubboPeer peer) {
        this.run = run;
        this.peer = peer;
    }

    void addTo(Cases cases) {
        cases.add(
                "proxy no route",
                extras -> {
                    String[] types = {"java.lang.String"};
                    return failure(() -> peer.nowhere().$invoke("sayHello", types, new Object[] {"x"}));
                });
        String[] groups = {
            "refused", "unreachable", "full", "unknown", "aborted", "denied", "fault", "blocked", "flow"
        };
        for (String group : groups) {
            DubboCall call = new DubboCall(group);
            cases.add("proxy " + group, extras -> failure(() -> call.service().sayHello("x")));
        }
        cases.add("proxy changes", this::changes);
        cases.add("proxy slow", extras -> failure(() -> peer.service("slow", null).slow(run + "slow", 3000)));
        cases.add("proxy tag of nobody", this::nobody);
        cases.add(
                "proxy tag without force",
                extras -> {
                    DubboService service = peer.service("soft", null);
                    RpcContext.getContext().setAttachment("dubbo.tag", "nobody");
                    String found = service.where();
                    RpcContext.getContext().clearAttachments();
                    return found;
                });
        cases.add("proxy limited", extras -> limited(run, extras, peer.service(), peer.service("limited", null)));
        cases.add("proxy shutdown", this::shutdown);
    }

    /** A service of one group, referred to when it is needed. */
    private final class DubboCall {
        private final String group;

        DubboCall(String group) {
            this.group = group;
        }

        DubboService service() {
            return peer.service(group, null);
        }
    }

    /** How a call failed: the exception, the first RemotingException below it with its message, and whether at once. */
    static Object failure(Callable<?> call) {
        Map<String, Object> found = new LinkedHashMap<>();
        long start = System.nanoTime();
        try {
            found.put("result", call.call());
        } catch (Throwable thrown) {
            found.put("exception", thrown.getClass().getSimpleName());
            Throwable cause = thrown;
            while (cause != null && !(cause instanceof RemotingException)) cause = cause.getCause();
            found.put("cause", cause == null ? null : cause.getClass().getSimpleName());
            found.put("reason", cause == null ? Report.mask(thrown.getMessage()) : Report.mask(cause.getMessage()));
        }
        found.put("at once", (System.nanoTime() - start) / 1_000_000 < AT_ONCE_MS);
        return found;
    }

    /** The route sends calls of the group to another group and version, and changes attachments both ways. */
    private Object changes(Map<String, Object> extras) {
        DubboService service = peer.service("changes", null);
        RpcContext.getContext().setAttachment("x-user", "u1").setAttachment("x-secret", "s");
        extras.put("seen", service.attachments());
        extras.put("answer", DubboAnswers.last());
        RpcContext.getContext().clearAttachments();
        extras.put("orders", DubboCases.collections(service).size());
        return DubboCases.attachObject(service);
    }

    /** A tag that no host has, then a call without. */
    private Object nobody(Map<String, Object> extras) {
        DubboService service = peer.service();
        RpcContext.getContext().setAttachment("dubbo.tag", "nobody");
        Object found = failure(service::where);
        RpcContext.getContext().clearAttachments();
        extras.put("without", service.where());
        return found;
    }

    /** One call of {@code service} may be under way: a second one fails, then the way is free again. */
    static Object limited(String run, Map<String, Object> extras, DubboService plain, DubboService service)
            throws Exception {
        ExecutorService other = Executors.newSingleThreadExecutor();
        Future<String> first = other.submit(() -> service.slow(run + "limited", 1500));
        Pause.until(() -> plain.recorded(run + "limited") > 0, 3000);
        Object second = failure(() -> service.sayHello("second"));
        extras.put("first", first.get().equals(run + "limited"));
        extras.put("third", service.sayHello("third"));
        other.shutdown();
        return second;
    }

    /** Four threads call all the time while one of two servers stops: no call may fail. */
    private Object shutdown(Map<String, Object> extras) throws Exception {
        DubboService pair = peer.service("pair", null);
        DubboService second = peer.service("second", null);
        AtomicInteger fromSecond = new AtomicInteger();
        Queue<String> failures = new ConcurrentLinkedQueue<>();
        AtomicLong lastSecond = new AtomicLong(System.nanoTime());
        AtomicBoolean stop = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread =
                    new Thread(
                            () -> {
                                while (!stop.get()) {
                                    try {
                                        if (pair.where().equals("second")) {
                                            fromSecond.incrementAndGet();
                                            lastSecond.set(System.nanoTime());
                                        }
                                    } catch (Throwable thrown) {
                                        failures.add(Report.mask(String.valueOf(thrown)));
                                    }
                                    Pause.millis(2);
                                }
                            });
            threads.add(thread);
            thread.start();
        }
        extras.put("second used", Pause.until(() -> fromSecond.get() > 20, 5000));
        second.leave();
        extras.put("second gone", Pause.until(() -> System.nanoTime() - lastSecond.get() > 1_500_000_000L, 12000));
        stop.set(true);
        for (Thread thread : threads) thread.join();
        if (!failures.isEmpty()) extras.put("first failure", failures.peek());
        return failures.size() + " failed";
    }
}
