package interop;

import java.io.Serializable;

/** Request and response of the raw Bolt cases; {@code kind} says what the receiver does with it. */
public class RawMessage implements Serializable {
    private static final long serialVersionUID = 1L;

    String kind;
    String text;
    long millis;
    byte[] body;

    static RawMessage of(String kind, String text) {
        RawMessage message = new RawMessage();
        message.kind = kind;
        message.text = text;
        return message;
    }

    RawMessage after(long delay) {
        millis = delay;
        return this;
    }

    RawMessage with(byte[] bytes) {
        body = bytes;
        return this;
    }
}
