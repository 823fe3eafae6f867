package interop;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Runs cases one after another and prints one JSON line for each. */
final class Runner {
    /** Long enough for the first case, which loads the library, on a busy machine. */
    private static final long CASE_SECONDS = 60;

    private Runner() {}

    /** Runs the cases of {@code chosen}, names with commas between; null: all. Ends the process. */
    static void main(PrintStream out, Cases cases, String chosen) throws InterruptedException {
        Collection<String> names = chosen == null ? cases.all.keySet() : Arrays.asList(chosen.split(","));
        if (!cases.all.keySet().containsAll(names)) {
            System.err.println("unknown case among " + names);
            System.exit(2);
        }
        ExecutorService runner = Executors.newCachedThreadPool();
        for (String name : names) out.println(run(runner, name, cases.all.get(name)));
        System.exit(0);
    }

    private static String run(ExecutorService runner, String name, Cases.Case each) throws InterruptedException {
        Map<String, Object> extras = new TreeMap<>();
        Future<Object> running = runner.submit(() -> each.body.run(extras));
        try {
            return Report.line(name, each.expected, running.get(CASE_SECONDS, TimeUnit.SECONDS), null, extras);
        } catch (ExecutionException failed) {
            return Report.line(name, each.expected, null, failed.getCause(), extras);
        } catch (java.util.concurrent.TimeoutException late) {
            running.cancel(true);
            return Report.line(name, each.expected, null, late, new TreeMap<>());
        }
    }
}
