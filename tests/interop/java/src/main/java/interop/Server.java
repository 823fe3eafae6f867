package interop;

import com.alipay.sofa.rpc.config.ApplicationConfig;
import com.alipay.sofa.rpc.config.ProviderConfig;
import com.alipay.sofa.rpc.config.ServerConfig;
import com.alipay.sofa.rpc.config.UserThreadPoolManager;
import com.alipay.sofa.rpc.server.UserThreadPool;
import java.io.IOException;
import java.util.Collections;

/** {@code Server SOFA_PORT RAW_PORT}: both servers on 127.0.0.1 until standard input ends. Prints {@code READY}. */
public final class Server {
    static final String BUSY = "busy";
    private static final String HOST = "127.0.0.1";

    private Server() {}

    public static void main(String[] args) throws IOException {
        ServerConfig sofa =
                new ServerConfig()
                        .setProtocol("bolt")
                        .setHost(HOST)
                        .setPort(Integer.parseInt(args[0]))
                        .setCoreThreads(40)
                        .setDaemon(true);
        export(sofa, null);
        // One thread, no queue: a second call at the same time is refused.
        UserThreadPool pool = new UserThreadPool();
        pool.setCorePoolSize(1);
        pool.setMaximumPoolSize(1);
        pool.setQueueSize(0);
        pool.init();
        UserThreadPoolManager.registerUserThread(HelloService.class.getName() + ":1.0:" + BUSY, pool);
        export(sofa, BUSY);
        new RawServer(HOST, Integer.parseInt(args[1]));
        System.out.println("READY");
        while (System.in.read() >= 0) {
            // Whoever started this process holds the other end.
        }
        System.exit(0);
    }

    private static void export(ServerConfig server, String uniqueId) {
        ProviderConfig<HelloService> provider =
                new ProviderConfig<HelloService>()
                .setApplication(new ApplicationConfig().setAppName("interop-server"))
                .setInterfaceId(HelloService.class.getName())
                .setRef(new HelloServiceImpl())
                .setFilterRef(Collections.singletonList(new HelloServiceImpl.PropertyFilter()))
                .setServer(server)
                .setRegister(false);
        if (uniqueId != null) provider.setUniqueId(uniqueId);
        provider.export();
    }
}
