package interop;

import java.util.ArrayList;
import java.util.Collections;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.MethodConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.rpc.service.GenericService;

/** Dubbo consumers of one port of this machine. They share one connection, as Dubbo does by default. */
final class DubboPeer {
    static final int TIMEOUT = 5000;

    private static final ApplicationConfig APPLICATION = application();

    private final int port;

    DubboPeer(int port) {
        this.port = port;
    }

    private static ApplicationConfig application() {
        ApplicationConfig application = new ApplicationConfig("interop-client");
        application.setQosEnable(false);
        return application;
    }

    private String url(String protocol, String service) {
        return protocol + "://127.0.0.1:" + port + "/" + service;
    }

    /** The settings that every consumer starts from; {@code group} may be null. */
    private <T> ReferenceConfig<T> consumer(String group) {
        ReferenceConfig<T> config = new ReferenceConfig<>();
        config.setApplication(APPLICATION);
        config.setRegistry(new RegistryConfig("N/A"));
        config.setInterface(DubboService.class.getName());
        config.setUrl(url("dubbo", DubboService.class.getName()) + "?heartbeat=1000");
        config.setCheck(false);
        config.setRetries(0);
        config.setTimeout(TIMEOUT);
        config.setFilter(DubboAnswers.register());
        if (group != null) config.setGroup(group);
        return config;
    }

    DubboService service() {
        return this.<DubboService>consumer(null).get();
    }

    DubboService service(int timeout) {
        ReferenceConfig<DubboService> config = consumer(null);
        config.setTimeout(timeout);
        return config.get();
    }

    DubboService service(String group, String version) {
        ReferenceConfig<DubboService> config = consumer(group);
        if (version != null) config.setVersion(version);
        return config.get();
    }

    /** A consumer whose {@code ping} is one-way; {@code serialization}: null for Hessian. */
    DubboService oneway(String serialization) {
        MethodConfig ping = new MethodConfig();
        ping.setName("ping");
        ping.setReturn(false);
        ReferenceConfig<DubboService> config = serialization == null ? consumer(null) : consumerIn(serialization);
        config.setMethods(new ArrayList<>(Collections.singletonList(ping)));
        return config.get();
    }

    GenericService generic() {
        ReferenceConfig<GenericService> config = consumer(null);
        config.setGeneric("true");
        return config.get();
    }

    /** A consumer whose calls are in another serialization than Hessian. */
    DubboService service(String serialization) {
        return consumerIn(serialization).get();
    }

    private ReferenceConfig<DubboService> consumerIn(String serialization) {
        ReferenceConfig<DubboService> config = consumer(null);
        config.setUrl(config.getUrl() + "&serialization=" + serialization + "&prefer.serialization=" + serialization);
        return config;
    }

    /** A consumer that speaks Triple, Dubbo 3's gRPC. */
    DubboService triple() {
        ReferenceConfig<DubboService> config = consumer(null);
        config.setUrl(url("tri", DubboService.class.getName()));
        return config.get();
    }

    /** A generic consumer of a service that nobody has. */
    GenericService nowhere() {
        ReferenceConfig<GenericService> config = consumer(null);
        config.setInterface("interop.Nowhere");
        config.setUrl(url("dubbo", "interop.Nowhere"));
        config.setGeneric("true");
        return config.get();
    }
}
