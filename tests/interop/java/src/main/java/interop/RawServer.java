package interop;

import com.alipay.remoting.BizContext;
import com.alipay.remoting.Connection;
import com.alipay.remoting.CustomSerializerManager;
import com.alipay.remoting.exception.RemotingException;
import com.alipay.remoting.rpc.RpcResponseFuture;
import com.alipay.remoting.rpc.RpcServer;
import com.alipay.remoting.rpc.protocol.SyncUserProcessor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** The raw sofa-bolt server: does what the request's {@code kind} says. */
final class RawServer {
    private final Records records = new Records();
    private final RpcServer server;

    RawServer(String host, int port) {
        server = new RpcServer(host, port, false);
        CustomSerializerManager.registerCustomSerializer(RawTagged.class.getName(), new RawTagged.Serializer());
        server.registerUserProcessor(new Processor(RawMessage.class, null));
        server.registerUserProcessor(new Processor(RawTagged.class, null));
        server.registerUserProcessor(
                new Processor(
                        RawBusy.class,
                        task -> {
                            throw new RejectedExecutionException("no thread for you");
                        }));
        server.startup();
    }

    /** One processor per request class; {@code executor} null means the server's own threads. */
    private final class Processor extends SyncUserProcessor<RawMessage> {
        private final String requestClass;
        private final Executor executor;

        Processor(Class<? extends RawMessage> type, Executor executor) {
            this.requestClass = type.getName();
            this.executor = executor;
        }

        @Override
        public Object handleRequest(BizContext context, RawMessage request) throws Exception {
            return handle(context.getConnection(), request);
        }

        @Override
        public String interest() {
            return requestClass;
        }

        @Override
        public Executor getExecutor() {
            return executor;
        }
    }

    private Object handle(Connection client, RawMessage request) throws Exception {
        switch (request.kind) {
            case "hello":
                request.text = "Hello " + request.text;
                return request;
            case "slow":
                records.add(request.text);
                Pause.millis(request.millis);
                return request;
            case "null":
                return null;
            case "fail":
                throw new IllegalStateException("broken on purpose: " + request.text);
            case "ping":
                records.add(request.text);
                return request;
            case "recorded":
                return RawMessage.of("recorded", String.valueOf(records.get(request.text)));
            case "push":
                return push(client, request);
            case "push-many":
                return pushMany(client, request);
            case "push-oneway":
                server.oneway(client, RawMessage.of("ping", request.text));
                return request;
            case "push-later":
                pushLater(client, request);
                return request;
            default:
                throw new IllegalArgumentException("unknown kind " + request.kind);
        }
    }

    /** Calls the client on the connection that its own request came on, and answers with what that call became. */
    private RawMessage push(Connection client, RawMessage request) {
        String outcome;
        try {
            RawMessage question = RawMessage.of(request.millis > 0 ? "slow" : "hello", request.text).with(request.body);
            RawMessage answer = (RawMessage) server.invokeSync(client, question.after(request.millis), 500);
            outcome = answer.text + Report.digest(answer.body);
        } catch (RemotingException | InterruptedException failed) {
            outcome = failed.getClass().getName();
        }
        return RawMessage.of("pushed", outcome);
    }

    /** Eight calls to the client at once: their ids collide with those of the client's own calls. */
    private RawMessage pushMany(Connection client, RawMessage request) throws Exception {
        List<RpcResponseFuture> futures = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            futures.add(server.invokeWithFuture(client, RawMessage.of("hello", request.text + i), 3000));
        }
        StringBuilder answers = new StringBuilder();
        for (RpcResponseFuture future : futures) {
            answers.append(((RawMessage) future.get(3000)).text).append(';');
        }
        return RawMessage.of("pushed", answers.toString());
    }

    /** Calls the client after its request was answered, so with nothing of its own outstanding. */
    private void pushLater(Connection client, RawMessage request) {
        Thread later =
                new Thread(
                        () -> {
                            Pause.millis(request.millis);
                            records.add(push(client, RawMessage.of("push", request.text)).text);
                        });
        later.setDaemon(true);
        later.start();
    }
}
