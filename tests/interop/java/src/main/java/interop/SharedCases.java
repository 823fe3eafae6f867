package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntSupplier;
import java.util.function.UnaryOperator;

/** What cases of several frameworks do alike. */
final class SharedCases {
    private SharedCases() {}

    /** 800 calls of a service's sayHello from 16 threads: how many had the right answer. */
    static int manyCalls(UnaryOperator<String> sayHello) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(16);
        List<Future<Integer>> results = new ArrayList<>();
        for (int thread = 0; thread < 16; thread++) {
            String prefix = "thread " + thread + " call ";
            results.add(
                    threads.submit(
                            () -> {
                                int right = 0;
                                for (int i = 0; i < 50; i++) {
                                    if (sayHello.apply(prefix + i).equals("Hello " + prefix + i)) right++;
                                }
                                return right;
                            }));
        }
        int right = 0;
        for (Future<Integer> result : results) right += result.get();
        threads.shutdown();
        return right;
    }

    /** Three one-way calls: how many of them the server has recorded in the end. */
    static int oneway(Runnable ping, IntSupplier recorded) {
        for (int i = 0; i < 3; i++) ping.run();
        Pause.until(() -> recorded.getAsInt() >= 3, 3000);
        // Long enough for a repeated one to arrive.
        Pause.millis(300);
        return recorded.getAsInt();
    }
}
