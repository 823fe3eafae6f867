package interop;

import java.io.PrintStream;
import java.util.HashMap;
import java.util.Map;

/**
 * {@code DubboClient RUN CASE,CASE… NAME:PORT…}: runs the cases and prints one JSON line for each. RUN names this run in
 * the server's records. The ports are those for plain calls ({@code main}), for calls with the tag {@code gray}, in
 * another serialization ({@code other}) and in Triple ({@code triple}, {@code http}).
 * {@code DubboClient --list} prints the names of all cases; those with {@code proxy} need the proxy's routes.
 */
public final class DubboClient {
    private DubboClient() {}

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        boolean list = args[0].equals("--list");
        Map<String, DubboPeer> peers = new HashMap<>();
        for (int i = 2; i < args.length; i++) {
            String[] parts = args[i].split(":");
            peers.put(parts[0], new DubboPeer(Integer.parseInt(parts[1])));
        }
        String run = list ? "" : args[0];
        Cases cases = new Cases();
        new DubboCases(run, peers.get("main"), peers.get("gray")).addTo(cases);
        new DubboOtherCases(run, peers).addTo(cases);
        new DubboProxyCases(run, peers.get("main")).addTo(cases);
        if (list) {
            cases.all.keySet().forEach(out::println);
            System.exit(0);
        }
        Runner.main(out, cases, args[1]);
    }
}
