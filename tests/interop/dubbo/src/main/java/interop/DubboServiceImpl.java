package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.dubbo.rpc.RpcContext;

/** {@link DubboService} with the server's own records. */
public final class DubboServiceImpl implements DubboService {
    private final Map<Integer, String> names;
    private final Records records = new Records();

    /** {@code names}: what the server is called at each of its ports. */
    DubboServiceImpl(Map<Integer, String> names) {
        this.names = names;
    }

    @Override
    public String sayHello(String name) {
        return "Hello " + name;
    }

    @Override
    public byte[] echo(byte[] body) {
        return body;
    }

    @Override
    public Order reprice(Order order, long cents) {
        order.setCents(cents);
        order.getLines().add("repriced");
        return order;
    }

    @Override
    public List<Order> collect(Map<String, Order> orders, List<Long> numbers) {
        List<Order> all = new ArrayList<>(new TreeMap<>(orders).values());
        for (int i = 0; i < all.size(); i++) all.get(i).setCents(numbers.get(i));
        return all;
    }

    @Override
    public String nothing(String name) {
        return null;
    }

    @Override
    public String slow(String name, long millis) {
        records.add(name);
        Pause.millis(millis);
        return name;
    }

    @Override
    public CompletableFuture<String> later(String name) {
        return CompletableFuture.supplyAsync(
                () -> {
                    Pause.millis(100);
                    return "Later " + name;
                });
    }

    @Override
    public String fail(String kind) throws OrderException {
        switch (kind) {
            case "checked":
                throw new OrderException("no such order: 订单", 404);
            default:
                throw new IllegalStateException("broken on purpose");
        }
    }

    @Override
    public void ping(String key) {
        records.add(key);
    }

    @Override
    public int recorded(String key) {
        return records.get(key);
    }

    @Override
    public Map<String, String> attachments() {
        Map<String, String> found = new TreeMap<>();
        RpcContext.getContext()
                .getAttachments()
                .forEach((key, value) -> {
                    if (key.startsWith("x-")) found.put(key, value);
                });
        RpcContext.getServerContext().setAttachment("x-answer", "came back ✓");
        return found;
    }

    @Override
    public String sameOrder(Order order) {
        Object attached = RpcContext.getContext().getObjectAttachment("x-order");
        if (attached == order) return "same";
        boolean equal = attached instanceof Order && ((Order) attached).getId().equals(order.getId());
        return equal ? "equal" : "other";
    }

    @Override
    public String where() {
        return names.get(RpcContext.getContext().getLocalPort());
    }

    @Override
    public int peerPort() {
        return RpcContext.getContext().getRemotePort();
    }

    @Override
    public void leave() {
        new Thread(() -> System.exit(0), "leave").start();
    }
}
