package discover;

import java.util.HashMap;
import java.util.Map;
import java.util.Scanner;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.MetadataReportConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;

/**
 * {@code DubboProvider NAME PORT ZOOKEEPER [KEY=VALUE…]}: a provider of Dubbo that registers in ZooKeeper, until standard input ends
 * (then it is gone at once) or says {@code stop} (then it leaves as Dubbo's shutdown hook has it). Prints {@code READY}. Keys are
 * those of Dubbo's service (weight, version, group, …) and {@code register-mode}.
 */
public final class DubboProvider {
    private DubboProvider() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> settings = new HashMap<>();
        for (int i = 3; i < args.length; i++) {
            String[] pair = args[i].split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        String mode = settings.remove("register-mode");
        if (mode != null) {
            // Of Dubbo 3 only, so not by methods that Dubbo 2 has not.
            System.setProperty("dubbo.application.register-mode", mode);
            System.setProperty("dubbo.application.metadata-type", "remote");
        }
        ApplicationConfig application = new ApplicationConfig("discover-" + args[0]);
        application.setQosEnable(false);
        RegistryConfig registry = new RegistryConfig("zookeeper://" + args[2]);
        Map<String, String> session = new HashMap<>();
        session.put("session", "4000");
        registry.setParameters(session);
        ProtocolConfig protocol = new ProtocolConfig("dubbo", Integer.parseInt(args[1]));
        protocol.setHost("127.0.0.1");
        ServiceConfig<Hello> service = new ServiceConfig<>();
        service.setApplication(application);
        service.setRegistry(registry);
        service.setProtocol(protocol);
        if (mode != null) service.setMetadataReportConfig(new MetadataReportConfig("zookeeper://" + args[2]));
        service.setInterface(Hello.class);
        service.setRef(new HelloImpl(args[0]));
        if (settings.containsKey("version")) service.setVersion(settings.remove("version"));
        if (settings.containsKey("group")) service.setGroup(settings.remove("group"));
        if (settings.containsKey("weight")) service.setWeight(Integer.parseInt(settings.remove("weight")));
        service.setParameters(settings);
        service.export();
        System.out.println("READY");
        Scanner commands = new Scanner(System.in);
        while (commands.hasNextLine()) {
            if (commands.nextLine().equals("stop")) System.exit(0);
        }
        Runtime.getRuntime().halt(0);
    }
}
