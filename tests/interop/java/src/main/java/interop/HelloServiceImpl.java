package interop;

import com.alipay.sofa.rpc.core.exception.SofaRpcException;
import com.alipay.sofa.rpc.core.request.SofaRequest;
import com.alipay.sofa.rpc.core.response.SofaResponse;
import com.alipay.sofa.rpc.filter.Filter;
import com.alipay.sofa.rpc.filter.FilterInvoker;
import com.alipay.sofa.rpc.context.RpcInvokeContext;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** {@link HelloService} with the server's own records. */
public final class HelloServiceImpl implements HelloService {
    private static final ThreadLocal<Map<String, Object>> PROPERTIES = new ThreadLocal<>();

    private final Records records = new Records();

    /** Keeps the request's properties for {@link HelloService#properties}. */
    static final class PropertyFilter extends Filter {
        @Override
        public SofaResponse invoke(FilterInvoker invoker, SofaRequest request) throws SofaRpcException {
            PROPERTIES.set(request.getRequestProps());
            try {
                return invoker.invoke(request);
            } finally {
                PROPERTIES.remove();
            }
        }
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
    public String nothing(String name) {
        return null;
    }

    @Override
    public void touch(String name) {
        records.add(name);
    }

    @Override
    public String slow(String name, long millis) {
        records.add(name);
        Pause.millis(millis);
        return name;
    }

    @Override
    public String fail(String kind) throws OrderException {
        switch (kind) {
            case "checked":
                throw new OrderException("no such order: 订单", 404);
            case "unchecked":
                throw new IllegalStateException("broken on purpose");
            default:
                throw new AssertionError("an error, not an exception");
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
    public Map<String, String> properties(String prefix) {
        Map<String, String> found = new TreeMap<>();
        Map<String, Object> properties = PROPERTIES.get();
        if (properties != null) {
            properties.forEach((key, value) -> {
                if (key.toLowerCase(Locale.ROOT).startsWith(prefix)) found.put(key, String.valueOf(value));
            });
        }
        RpcInvokeContext context = RpcInvokeContext.getContext();
        String baggage = context.getRequestBaggage("baggage");
        if (baggage != null) {
            found.put("request baggage", baggage);
            context.putResponseBaggage("baggage", baggage + " came back");
        }
        return found;
    }
}
