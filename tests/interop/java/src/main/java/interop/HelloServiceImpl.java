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

/** {@link HelloService}. */
public final class HelloServiceImpl extends SharedService implements HelloService {
    private static final ThreadLocal<Map<String, Object>> PROPERTIES = new ThreadLocal<>();

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
    public void touch(String name) {
        records.add(name);
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
