package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.dubbo.rpc.RpcContext;

/** {@link DubboService}. */
public final class DubboServiceImpl extends SharedService implements DubboService {
    private final Map<Integer, String> names;

    /** {@code names}: what the server is called at each of its ports. */
    DubboServiceImpl(Map<Integer, String> names) {
        this.names = names;
    }

    @Override
    public List<Order> collect(Map<String, Order> orders, List<Long> numbers) {
        List<Order> all = new ArrayList<>(new TreeMap<>(orders).values());
        for (int i = 0; i < all.size(); i++) all.get(i).setCents(numbers.get(i));
        return all;
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
