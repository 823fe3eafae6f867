package discover;

/** What providers serve. */
public interface Hello {
    /** Says who answers. */
    String hello(String name);

    /** The same, after so many milliseconds. */
    String slow(int ms);
}
