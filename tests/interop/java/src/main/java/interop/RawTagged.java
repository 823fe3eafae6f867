package interop;

import com.alipay.remoting.DefaultCustomSerializer;
import com.alipay.remoting.InvokeContext;
import com.alipay.remoting.rpc.RequestCommand;
import com.alipay.remoting.rpc.ResponseCommand;
import com.alipay.remoting.rpc.RpcCommand;
import com.alipay.remoting.rpc.protocol.RpcRequestCommand;
import com.alipay.remoting.rpc.protocol.RpcResponseCommand;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A raw message with a header block of its own, in both directions. The content is {@code text} alone; the receiver
 * appends the header block as it came.
 */
public final class RawTagged extends RawMessage {
    private static final long serialVersionUID = 1L;

    /** Pairs with a repeated key, an empty value, an upper-case key and bytes outside ASCII. */
    private static final String[] PAIRS = {"tag", "one", "tag", "two", "empty", "", "X-Upper", "UP", "名", "值"};

    static RawTagged of(String text) {
        RawTagged message = new RawTagged();
        message.kind = "hello";
        message.text = text;
        return message;
    }

    /** Writes and reads {@link RawTagged}; one instance serves a whole process. */
    static final class Serializer extends DefaultCustomSerializer {
        @Override
        public <T extends RequestCommand> boolean serializeHeader(T request, InvokeContext context) {
            return writeHeader(request);
        }

        @Override
        public <T extends ResponseCommand> boolean serializeHeader(T response) {
            return writeHeader(response);
        }

        @Override
        public <T extends RequestCommand> boolean serializeContent(T request, InvokeContext context) {
            return writeContent(request, ((RpcRequestCommand) request).getRequestObject());
        }

        @Override
        public <T extends ResponseCommand> boolean serializeContent(T response) {
            return writeContent(response, ((RpcResponseCommand) response).getResponseObject());
        }

        @Override
        public <T extends RequestCommand> boolean deserializeContent(T request) {
            ((RpcRequestCommand) request).setRequestObject(read(request));
            return true;
        }

        @Override
        public <T extends ResponseCommand> boolean deserializeContent(T response, InvokeContext context) {
            ((RpcResponseCommand) response).setResponseObject(read(response));
            return true;
        }
    }

    private static boolean writeHeader(RpcCommand command) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (String word : PAIRS) {
            byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
            block.write(ByteBuffer.allocate(4).putInt(bytes.length).array(), 0, 4);
            block.write(bytes, 0, bytes.length);
        }
        command.setHeader(block.toByteArray());
        return true;
    }

    private static boolean writeContent(RpcCommand command, Object message) {
        command.setContent(((RawTagged) message).text.getBytes(StandardCharsets.UTF_8));
        return true;
    }

    private static RawTagged read(RpcCommand command) {
        StringBuilder text = new StringBuilder(new String(command.getContent(), StandardCharsets.UTF_8));
        ByteBuffer block = ByteBuffer.wrap(command.getHeader());
        while (block.remaining() >= 4) {
            byte[] word = new byte[block.getInt()];
            block.get(word);
            text.append('|').append(new String(word, StandardCharsets.UTF_8));
        }
        return of(text.toString());
    }
}
