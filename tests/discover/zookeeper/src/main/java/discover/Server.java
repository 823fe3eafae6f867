package discover;

import java.io.File;
import java.net.InetSocketAddress;
import java.util.Scanner;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;

/**
 * {@code Server PORT FOLDER}: a ZooKeeper that keeps its data in the folder, until standard input ends. It prints {@code READY},
 * and does what each line on standard input says: {@code expire 0x…} ends a session.
 */
public final class Server {
    private Server() {}

    public static void main(String[] args) throws Exception {
        File folder = new File(args[1]);
        folder.mkdirs();
        ZooKeeperServer server = new ZooKeeperServer(folder, folder, 500);
        ServerCnxnFactory factory = NIOServerCnxnFactory.createFactory();
        factory.configure(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 10_000);
        factory.startup(server);
        System.out.println("READY");
        Scanner commands = new Scanner(System.in);
        while (commands.hasNextLine()) {
            String[] words = commands.nextLine().split(" ");
            if (words[0].equals("expire")) {
                server.closeSession(Long.parseUnsignedLong(words[1].substring(2), 16));
            }
            System.out.println("DONE");
        }
        factory.shutdown();
        Runtime.getRuntime().halt(0);
    }
}
