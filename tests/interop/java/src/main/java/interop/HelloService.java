package interop;

import java.util.Map;

/** The sample service of the SOFARPC cases. */
public interface HelloService {
    String sayHello(String name);

    byte[] echo(byte[] body);

    Order reprice(Order order, long cents);

    /** Answers null for any name. */
    String nothing(String name);

    void touch(String name);

    /** Returns {@code name} after {@code millis}. */
    String slow(String name, long millis);

    /** Throws what {@code kind} names: checked, unchecked or error. */
    String fail(String kind) throws OrderException;

    /** Called one-way: adds one to the server's record of {@code key}. */
    void ping(String key);

    /** How often the server has run {@link #ping} or {@link #slow} for {@code key}. */
    int recorded(String key);

    /**
     * The request properties, custom headers among them, whose name in lower case starts with {@code prefix}, and the
     * baggage, as the server sees them.
     */
    Map<String, String> properties(String prefix);
}
