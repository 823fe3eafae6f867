package discover;

/** Answers with the name of its provider. */
public final class HelloImpl implements Hello {
    private final String provider;

    public HelloImpl(String provider) {
        this.provider = provider;
    }

    @Override
    public String hello(String name) {
        return provider;
    }

    @Override
    public String slow(int ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return provider;
    }
}
