package interop;

import com.alipay.remoting.Connection;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Counts the heartbeat acks that arrive on an idle connection, before Bolt's own decoder. */
final class AckCounter extends ChannelInboundHandlerAdapter {
    private static final int BOLT_V2 = 2;

    private final AtomicInteger acks = new AtomicInteger();

    /** Watches {@code connection} while it idles; its extras say whether it lived and was answered. */
    static void watch(Connection connection, Map<String, Object> extras) {
        AckCounter counter = new AckCounter();
        connection.getChannel().pipeline().addFirst(counter);
        // Five intervals: without acks the third one closes the connection.
        boolean answered = Pause.until(() -> counter.acks.get() >= 5, 5000);
        extras.put("five acks", answered);
        extras.put("unanswered heartbeats", connection.getChannel().attr(Connection.HEARTBEAT_COUNT).get());
        extras.put("still open", connection.isFine());
        connection.getChannel().pipeline().remove(counter);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        ByteBuf bytes = (ByteBuf) message;
        int at = bytes.readerIndex();
        // The command code follows the type; version 2 has one more byte before it.
        int code = at + (bytes.getByte(at) == BOLT_V2 ? 3 : 2);
        if (bytes.readableBytes() >= 20 && bytes.getShort(code) == 0) acks.incrementAndGet();
        super.channelRead(context, message);
    }
}
