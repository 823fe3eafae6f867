package interop;

import com.alipay.remoting.config.Configs;
import java.io.PrintStream;

/**
 * {@code Client RUN SOFA_HOST:PORT RAW_HOST:PORT [CASE,CASE…]}: runs the cases one after another and prints one JSON
 * line for each. RUN names this run in the server's records. {@code Client --list} prints the names of all cases.
 */
public final class Client {
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
        Runner.main(out, cases, args.length > 3 ? args[3] : null);
    }
}
