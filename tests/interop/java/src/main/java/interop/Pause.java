package interop;

import java.util.function.BooleanSupplier;

/** Waiting. */
final class Pause {
    private Pause() {}

    static void millis(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits until {@code done}, at most {@code millis}; false when it did not come. */
    static boolean until(BooleanSupplier done, long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        while (!done.getAsBoolean()) {
            if (System.nanoTime() > end) return false;
            millis(20);
        }
        return true;
    }
}
