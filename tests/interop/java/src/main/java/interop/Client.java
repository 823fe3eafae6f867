package interop;

import com.alipay.remoting.config.Configs;
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

/**
 * {@code Client RUN SOFA_HOST:PORT RAW_HOST:PORT [CASE,CASE…]}: runs the cases one after another and prints one JSON
 * line for each. RUN names this run in the server's records. {@code Client --list} prints the names of all cases.
 */
public final class Client {
    private static final long CASE_SECONDS = 20;

    private Client() {}

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        // Several heartbeats in every pause of a case; three unanswered ones close the connection.
        System.setProperty(Configs.TCP_IDLE, "300");
        boolean list = args[0].equals("--list");
        Cases cases = new Cases();
        new SofaCases(list ? "" : args[0], list ? "" : args[1]).addTo(cases);
        for (RawVariant variant : RawVariant.values()) {
            new RawCases(list ? "" : args[0], list ? "" : args[2], variant).addTo(cases);
        }
        if (list) {
            cases.all.keySet().forEach(out::println);
            System.exit(0);
        }
        Collection<String> chosen = args.length > 3 ? Arrays.asList(args[3].split(",")) : cases.all.keySet();
        if (!cases.all.keySet().containsAll(chosen)) {
            System.err.println("unknown case among " + chosen);
            System.exit(2);
        }
        ExecutorService runner = Executors.newCachedThreadPool();
        for (String name : chosen) out.println(run(runner, name, cases.all.get(name)));
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
