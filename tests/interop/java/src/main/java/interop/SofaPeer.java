package interop;

import com.alipay.remoting.Connection;
import com.alipay.remoting.rpc.RpcClient;
import com.alipay.sofa.rpc.api.GenericService;
import com.alipay.sofa.rpc.config.ApplicationConfig;
import com.alipay.sofa.rpc.config.ConsumerConfig;
import com.alipay.sofa.rpc.core.invoke.SofaResponseCallback;
import com.alipay.sofa.rpc.core.request.RequestBase;
import com.alipay.sofa.rpc.core.exception.SofaRpcException;
import com.alipay.sofa.rpc.transport.bolt.BoltClientTransport;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** SOFARPC consumers of one address. They share one connection, as sofa-rpc does by default. */
final class SofaPeer {
    static final int TIMEOUT = 5000;

    private final String address;

    SofaPeer(String address) {
        this.address = address;
    }

    /** The settings that every consumer starts from. */
    <T> ConsumerConfig<T> consumer(String invokeType, int timeout) {
        return new ConsumerConfig<T>()
                .setApplication(new ApplicationConfig().setAppName("interop-client"))
                .setInterfaceId(HelloService.class.getName())
                .setDirectUrl("bolt://" + address)
                .setProtocol("bolt")
                .setRegister(false)
                .setSubscribe(false)
                .setRepeatedReferLimit(-1)
                .setInvokeType(invokeType)
                .setTimeout(timeout)
                .setConnectTimeout(3000);
    }

    HelloService sync() {
        return this.<HelloService>consumer("sync", TIMEOUT).refer();
    }

    HelloService sync(int timeout) {
        return this.<HelloService>consumer("sync", timeout).refer();
    }

    GenericService generic() {
        return this.<GenericService>consumer("sync", TIMEOUT).setGeneric(true).refer();
    }

    /** A consumer in callback mode whose next answer completes {@code answer}. */
    HelloService callback(int timeout, CompletableFuture<Object> answer) {
        return callback(this.<HelloService>consumer("callback", timeout), answer).refer();
    }

    /** The consumer, whose next answer completes {@code answer}. */
    static ConsumerConfig<HelloService> callback(ConsumerConfig<HelloService> consumer, CompletableFuture<Object> answer) {
        return consumer.setOnReturn(new Completion(answer));
    }

    /** The one open connection to the address. */
    Connection connection() {
        for (List<Connection> pool : Transport.client().getAllManagedConnections().values()) {
            for (Connection each : pool) {
                if (address.endsWith(":" + each.getRemotePort())) return each;
            }
        }
        throw new AssertionError("no connection to " + address);
    }

    private static final class Completion implements SofaResponseCallback<Object> {
        private final CompletableFuture<Object> answer;

        Completion(CompletableFuture<Object> answer) {
            this.answer = answer;
        }

        @Override
        public void onAppResponse(Object response, String method, RequestBase request) {
            answer.complete(response);
        }

        @Override
        public void onAppException(Throwable thrown, String method, RequestBase request) {
            answer.completeExceptionally(thrown);
        }

        @Override
        public void onSofaException(SofaRpcException thrown, String method, RequestBase request) {
            answer.completeExceptionally(thrown);
        }
    }

    /** Opens what the transport keeps to itself: the Bolt client that holds the connections. */
    private static final class Transport extends BoltClientTransport {
        private Transport() {
            super(null);
        }

        static RpcClient client() {
            return RPC_CLIENT;
        }
    }
}
