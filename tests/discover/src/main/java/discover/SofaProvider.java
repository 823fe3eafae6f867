package discover;

import com.alipay.sofa.rpc.config.ApplicationConfig;
import com.alipay.sofa.rpc.config.ProviderConfig;
import com.alipay.sofa.rpc.config.RegistryConfig;
import com.alipay.sofa.rpc.config.ServerConfig;
import com.alipay.sofa.rpc.registry.RegistryFactory;
import java.util.Scanner;

/**
 * {@code SofaProvider NAME PORT ZOOKEEPER [WEIGHT]}: a provider of SOFARPC that registers in ZooKeeper, until standard input ends
 * (then it is gone at once) or says {@code stop} (then it deregisters, and ends 3 s later). Prints {@code READY}.
 */
public final class SofaProvider {
    private SofaProvider() {}

    public static void main(String[] args) throws Exception {
        RegistryConfig registry = new RegistryConfig().setProtocol("zookeeper").setAddress(args[2]);
        ServerConfig server = new ServerConfig()
                .setProtocol("bolt")
                .setHost("127.0.0.1")
                .setVirtualHost("127.0.0.1")
                .setPort(Integer.parseInt(args[1]))
                .setDaemon(false);
        ProviderConfig<Hello> provider = new ProviderConfig<Hello>()
                .setApplication(new ApplicationConfig().setAppName("discover-" + args[0]))
                .setInterfaceId(Hello.class.getName())
                .setRef(new HelloImpl(args[0]))
                .setServer(server)
                .setRegistry(registry);
        if (args.length > 3) provider.setWeight(Integer.parseInt(args[3]));
        provider.export();
        System.out.println("READY");
        Scanner commands = new Scanner(System.in);
        while (commands.hasNextLine()) {
            if (!commands.nextLine().equals("stop")) continue;
            // SOFARPC's own hook stops the server in the moment in which it deregisters.
            RegistryFactory.getRegistry(registry).unRegister(provider);
            Thread.sleep(3000);
            System.exit(0);
        }
        Runtime.getRuntime().halt(0);
    }
}
