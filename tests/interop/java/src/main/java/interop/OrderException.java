package interop;

/** A checked business exception known to both sides. */
public class OrderException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int code;

    public OrderException(String message, int code) {
        super(message);
        this.code = code;
    }

    public int getCode() {
        return code;
    }
}
