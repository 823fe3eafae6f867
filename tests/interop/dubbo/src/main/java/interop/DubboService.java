package interop;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The sample service of the Dubbo cases. */
public interface DubboService {
    String sayHello(String name);

    byte[] echo(byte[] body);

    Order reprice(Order order, long cents);

    List<Order> collect(Map<String, Order> orders, List<Long> numbers);

    /** Answers null for any name. */
    String nothing(String name);

    /** Returns {@code name} after {@code millis}. */
    String slow(String name, long millis);

    CompletableFuture<String> later(String name);

    /** Throws what {@code kind} names: checked, unchecked or error. */
    String fail(String kind) throws OrderException;

    /** Called one-way: adds one to the server's record of {@code key}. */
    void ping(String key);

    /** How often the server has run {@link #ping} or {@link #slow} for {@code key}. */
    int recorded(String key);

    /** The attachments whose name starts with {@code x-}, as the server sees them; the response carries one more. */
    Map<String, String> attachments();

    /** What the attachment {@code x-order} is to the argument: {@code same} object, {@code equal} or {@code other}. */
    String sameOrder(Order order);

    /** The name of the server: main, gray or second. */
    String where();

    /** The port that the server sees the call come from. */
    int peerPort();

    /** Begins a graceful stop of the server's process. */
    void leave();
}
