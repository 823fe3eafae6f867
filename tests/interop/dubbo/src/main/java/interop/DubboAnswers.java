package interop;

import java.util.Map;
import java.util.TreeMap;
import org.apache.dubbo.common.extension.ExtensionLoader;
import org.apache.dubbo.rpc.Filter;
import org.apache.dubbo.rpc.Invocation;
import org.apache.dubbo.rpc.Invoker;
import org.apache.dubbo.rpc.Result;

/**
 * A consumer's filter that keeps the attachments of the last response. With a direct URL Dubbo 2.7 has none of the
 * interceptors that put them into the RpcContext.
 */
public final class DubboAnswers implements Filter {
    static final String NAME = "answers";

    private static volatile Map<String, Object> last = new TreeMap<>();

    static {
        ExtensionLoader.getExtensionLoader(Filter.class).addExtension(NAME, DubboAnswers.class);
    }

    /** Makes Dubbo know the filter by its name. */
    static String register() {
        return NAME;
    }

    /** The attachments of the last response whose names start with {@code x-}. Throws where there are none. */
    static Map<String, Object> last() {
        Map<String, Object> found = new TreeMap<>(last);
        found.keySet().removeIf(name -> !name.startsWith("x-"));
        if (found.isEmpty()) throw new IllegalStateException("no attachments of a response have been seen");
        return found;
    }

    @Override
    public Result invoke(Invoker<?> invoker, Invocation invocation) {
        Result pending = invoker.invoke(invocation);
        pending.whenCompleteWithContext(
                (result, thrown) -> last = result == null ? new TreeMap<>() : result.getObjectAttachments());
        return pending;
    }
}
