package interop;

/** A request class that no processor of the server takes. */
public final class RawUnknown extends RawMessage {
    private static final long serialVersionUID = 1L;
}
