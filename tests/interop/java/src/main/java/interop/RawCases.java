package interop;

import com.alipay.remoting.BizContext;
import com.alipay.remoting.Connection;
import com.alipay.remoting.CustomSerializerManager;
import com.alipay.remoting.InvokeCallback;
import com.alipay.remoting.InvokeContext;
import com.alipay.remoting.exception.RemotingException;
import com.alipay.remoting.rpc.RpcClient;
import com.alipay.remoting.rpc.RpcConfigs;
import com.alipay.remoting.rpc.RpcResponseFuture;
import com.alipay.remoting.rpc.exception.InvokeServerBusyException;
import com.alipay.remoting.rpc.exception.InvokeServerException;
import com.alipay.remoting.rpc.exception.InvokeTimeoutException;
import com.alipay.remoting.rpc.protocol.SyncUserProcessor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** The cases of a raw sofa-bolt client in one form of Bolt, on one connection. */
final class RawCases {
    private static final int TIMEOUT = 5000;

    private final String run;
    private final String address;
    private final RawVariant variant;
    private final Records pushed = new Records();
    private RpcClient client;

    RawCases(String run, String address, RawVariant variant) {
        this.run = run + variant.label;
        this.variant = variant;
        this.address =
                String.format(
                        "%s?%s=%d&%s=%d",
                        address, RpcConfigs.URL_PROTOCOL, variant.protocol, RpcConfigs.URL_VERSION, variant.version);
    }

    void addTo(Cases cases) {
        String prefix = "bolt " + variant.label + " ";
        cases.add(prefix + "sync", extras -> call(RawMessage.of("hello", "raw"), TIMEOUT).text);
        cases.add(prefix + "future", extras -> future("hello", "future").get(TIMEOUT));
        cases.add(prefix + "callback", extras -> text(callback(RawMessage.of("hello", "callback"), TIMEOUT)));
        cases.add(prefix + "oneway", this::oneway);
        cases.add(prefix + "null", extras -> client().invokeSync(address, RawMessage.of("null", ""), context(), TIMEOUT));
        cases.add(prefix + "64 KiB", extras -> call(RawMessage.of("hello", "").with(Report.bytes(65536)), TIMEOUT).body);
        cases.add(prefix + "header block", extras -> call(RawTagged.of("tagged"), TIMEOUT).text);
        addFailures(cases, prefix);
        cases.add(prefix + "replies out of order", this::outOfOrder);
        addPushes(cases, prefix);
        cases.add(prefix + "heartbeat", this::heartbeat);
    }

    private void addFailures(Cases cases, String prefix) {
        cases.fails(
                prefix + "exception",
                InvokeServerException.class,
                extras -> call(RawMessage.of("fail", "订单"), TIMEOUT));
        cases.fails(
                prefix + "callback exception",
                InvokeServerException.class,
                extras -> callback(RawMessage.of("fail", "callback"), TIMEOUT));
        cases.fails(prefix + "timeout", InvokeTimeoutException.class, this::timeout);
        cases.fails(prefix + "server busy", InvokeServerBusyException.class, extras -> call(new RawBusy(), TIMEOUT));
        cases.fails(prefix + "no processor", InvokeServerException.class, extras -> call(new RawUnknown(), TIMEOUT));
    }

    private void addPushes(Cases cases, String prefix) {
        cases.add(prefix + "push", extras -> call(RawMessage.of("push", "pushed"), TIMEOUT).text);
        cases.add(
                prefix + "push 64 KiB",
                extras -> call(RawMessage.of("push", "large").with(Report.bytes(65536)), TIMEOUT).text);
        cases.add(
                prefix + "push timeout",
                extras -> call(RawMessage.of("push", run + "push timeout").after(900), TIMEOUT).text);
        cases.add(prefix + "push while calling", this::pushWhileCalling);
        cases.add(
                prefix + "push oneway",
                extras -> {
                    String key = run + "push oneway";
                    call(RawMessage.of("push-oneway", key), TIMEOUT);
                    Pause.until(() -> pushed.get(key) > 0, 3000);
                    Pause.millis(200);
                    return pushed.get(key);
                });
        cases.add(
                prefix + "push later",
                extras -> {
                    call(RawMessage.of("push-later", run + "later").after(300), TIMEOUT);
                    Pause.millis(600);
                    String answer = "Pushed " + run + "later";
                    return call(RawMessage.of("recorded", answer), TIMEOUT).text;
                });
    }

    private synchronized RpcClient client() {
        if (client == null) {
            if (CustomSerializerManager.getCustomSerializer(RawTagged.class.getName()) == null) {
                CustomSerializerManager.registerCustomSerializer(RawTagged.class.getName(), new RawTagged.Serializer());
            }
            client = new RpcClient();
            client.registerUserProcessor(new PushProcessor());
            client.startup();
        }
        return client;
    }

    /** Answers the server's own requests. */
    private final class PushProcessor extends SyncUserProcessor<RawMessage> {
        @Override
        public Object handleRequest(BizContext context, RawMessage request) {
            pushed.add(request.text);
            Pause.millis(request.millis);
            request.text = "Pushed " + request.text;
            return request;
        }

        @Override
        public String interest() {
            return RawMessage.class.getName();
        }
    }

    private InvokeContext context() {
        InvokeContext context = new InvokeContext();
        context.put(InvokeContext.BOLT_CRC_SWITCH, variant.crc);
        return context;
    }

    private RawMessage call(RawMessage request, int timeout) throws RemotingException, InterruptedException {
        return (RawMessage) client().invokeSync(address, request, context(), timeout);
    }

    private Answer future(String kind, String text) throws RemotingException, InterruptedException {
        RpcResponseFuture future =
                client().invokeWithFuture(address, RawMessage.of(kind, text), context(), TIMEOUT);
        return timeout -> text((RawMessage) future.get(timeout));
    }

    /** An answer still to come. */
    private interface Answer {
        Object get(int timeout) throws Exception;
    }

    private static String text(RawMessage message) {
        return message.text;
    }

    private RawMessage callback(RawMessage request, int timeout) throws Exception {
        CompletableFuture<Object> answer = new CompletableFuture<>();
        client().invokeWithCallback(address, request, context(), new Completion(answer), timeout);
        try {
            return (RawMessage) answer.get(TIMEOUT, TimeUnit.MILLISECONDS);
        } catch (ExecutionException failed) {
            throw (Exception) failed.getCause();
        }
    }

    private static final class Completion implements InvokeCallback {
        private final CompletableFuture<Object> answer;

        Completion(CompletableFuture<Object> answer) {
            this.answer = answer;
        }

        @Override
        public void onResponse(Object result) {
            answer.complete(result);
        }

        @Override
        public void onException(Throwable thrown) {
            answer.completeExceptionally(thrown);
        }

        @Override
        public Executor getExecutor() {
            return null;
        }
    }

    private int recorded(String key) throws RemotingException, InterruptedException {
        return Integer.parseInt(call(RawMessage.of("recorded", key), TIMEOUT).text);
    }

    private Object oneway(Map<String, Object> extras) throws Exception {
        String key = run + "oneway";
        for (int i = 0; i < 3; i++) client().oneway(address, RawMessage.of("ping", key), context());
        for (int i = 0; i < 100 && recorded(key) < 3; i++) Pause.millis(20);
        // Long enough for a repeated one to arrive.
        Pause.millis(300);
        return recorded(key);
    }

    private Object timeout(Map<String, Object> extras) throws Exception {
        String key = run + "timeout";
        try {
            return call(RawMessage.of("slow", key).after(700), 300);
        } finally {
            // The late answer must not reach a later call.
            Pause.millis(700);
            extras.put("next call", call(RawMessage.of("hello", "again"), TIMEOUT).text);
            extras.put("executed", recorded(key));
        }
    }

    /** Five calls at once, the first the slowest: the order in which their answers come. */
    private Object outOfOrder(Map<String, Object> extras) throws Exception {
        ConcurrentLinkedQueue<String> ended = new ConcurrentLinkedQueue<>();
        List<CompletableFuture<Object>> answers = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            CompletableFuture<Object> answer = new CompletableFuture<>();
            answers.add(answer.thenApply(message -> ended.add(text((RawMessage) message))));
            RawMessage request = RawMessage.of("slow", "call " + i).after((5 - i) * 150L);
            client().invokeWithCallback(address, request, context(), new Completion(answer), TIMEOUT);
        }
        for (CompletableFuture<Object> answer : answers) answer.get(TIMEOUT, TimeUnit.MILLISECONDS);
        return new ArrayList<>(ended);
    }

    /** The server calls the client while the client's own calls, with ids of the same range, are unanswered. */
    private Object pushWhileCalling(Map<String, Object> extras) throws Exception {
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            RawMessage request = RawMessage.of("slow", "own " + i).after(300);
            RpcResponseFuture future = client().invokeWithFuture(address, request, context(), TIMEOUT);
            answers.add(timeout -> text((RawMessage) future.get(timeout)));
        }
        String pushes = call(RawMessage.of("push-many", "push "), TIMEOUT).text;
        List<Object> own = new ArrayList<>();
        for (Answer answer : answers) own.add(answer.get(TIMEOUT));
        extras.put("own", own);
        return pushes;
    }

    private Object heartbeat(Map<String, Object> extras) throws Exception {
        Connection connection = client().getConnection(address, TIMEOUT);
        AckCounter.watch(connection, extras);
        String after = call(RawMessage.of("hello", "after"), TIMEOUT).text;
        extras.put("same connection", client().getConnection(address, TIMEOUT) == connection);
        return after;
    }
}
