package interop;

import java.io.PrintStream;

/**
 * {@code DubboClient RUN MAIN_HOST:PORT GRAY_HOST:PORT [CASE,CASE…]}: runs the cases and prints one JSON line for each.
 * RUN names this run in the server's records; GRAY is where calls with the tag {@code gray} are to be sent.
 * {@code DubboClient --list} prints the names of all cases; those that begin with {@code proxy} need the proxy's routes.
 */
public final class DubboClient {
    private DubboClient() {}

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        boolean list = args[0].equals("--list");
        Cases cases = new Cases();
        new DubboCases(list ? "" : args[0], list ? "" : args[1], list ? "" : args[2]).addTo(cases);
        new DubboProxyCases(list ? "" : args[0], list ? "" : args[1]).addTo(cases);
        if (list) {
            cases.all.keySet().forEach(out::println);
            System.exit(0);
        }
        Runner.main(out, cases, args.length > 3 ? args[3] : null);
    }
}
