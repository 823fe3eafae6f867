package interop;

/** A request whose executor at the server refuses every task. */
public final class RawBusy extends RawMessage {
    private static final long serialVersionUID = 1L;
}
