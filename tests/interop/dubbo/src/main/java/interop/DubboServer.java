package interop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;

/**
 * {@code DubboServer NAME:PORT…}: one process that serves at all these ports until standard input ends or it is told
 * to leave; at the port called {@code triple} in Triple. Prints {@code READY}.
 */
public final class DubboServer {
    private DubboServer() {}

    public static void main(String[] args) throws Exception {
        Map<Integer, String> names = new LinkedHashMap<>();
        List<ProtocolConfig> protocols = new ArrayList<>();
        for (String each : args) {
            String[] parts = each.split(":");
            int port = Integer.parseInt(parts[1]);
            names.put(port, parts[0]);
            ProtocolConfig protocol = new ProtocolConfig(parts[0].equals("triple") ? "tri" : "dubbo", port);
            protocol.setHost("127.0.0.1");
            protocols.add(protocol);
        }
        ApplicationConfig application = new ApplicationConfig("interop-server");
        application.setQosEnable(false);
        DubboService service = new DubboServiceImpl(names);
        export(application, protocols, service, null, null);
        export(application, protocols, service, "g", "1.2");
        // Groups that routes go by.
        for (String group : new String[] {"limited", "pair", "second", "slow", "soft", "tags"}) {
            export(application, protocols, service, group, null);
        }
        System.out.println("READY");
        while (System.in.read() >= 0) {
            // Whoever started this process holds the other end.
        }
        Runtime.getRuntime().halt(0);
    }

    private static void export(
            ApplicationConfig application,
            List<ProtocolConfig> protocols,
            DubboService service,
            String group,
            String version) {
        ServiceConfig<DubboService> config = new ServiceConfig<>();
        config.setApplication(application);
        config.setRegistry(new RegistryConfig("N/A"));
        config.setProtocols(protocols);
        config.setInterface(DubboService.class);
        config.setRef(service);
        // Dubbo 3 takes no other serializations than those that it says it has.
        config.setParameters(new HashMap<>(Collections.singletonMap("prefer.serialization", "hessian2,fastjson2")));
        if (group != null) config.setGroup(group);
        if (version != null) config.setVersion(version);
        config.export();
    }
}
