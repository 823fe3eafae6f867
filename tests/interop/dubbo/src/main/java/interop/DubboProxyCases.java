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

/** What only the proxy does: its own answers, and the second host. Routes go by the group. */
final class DubboProxyCases {
    private static final int AT_ONCE_MS = 3000;

    private final String run;
    private final DubboPeer peer;

    DubboProxyCases(String run, String address) {
        this.run = run;
        this.peer = new DubboPeer(address);
    }

    void addTo(Cases cases) {
        cases.add(
                "proxy no route",
                extras -> {
                    String[] types = {"java.lang.String"};
                    return failure(() -> peer.nowhere().$invoke("sayHello", types, new Object[] {"x"}));
                });
        for (String group : new String[] {"refused", "unreachable", "unknown", "aborted", "denied"}) {
            DubboCall call = new DubboCall(group);
            cases.add("proxy " + group, extras -> failure(() -> call.service().sayHello("x")));
        }
        cases.add("proxy limited", this::limited);
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
    private static Object failure(Callable<?> call) {
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

    /** One call may be under way: a second one fails, then the way is free again. */
    private Object limited(Map<String, Object> extras) throws Exception {
        DubboService service = peer.service("limited", null);
        ExecutorService other = Executors.newSingleThreadExecutor();
        Future<String> first = other.submit(() -> service.slow(run + "limited", 2000));
        DubboService plain = peer.service();
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
