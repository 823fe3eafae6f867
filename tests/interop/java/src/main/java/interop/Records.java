package interop;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;

/** What a process has seen, by key. */
final class Records {
    private final ConcurrentMap<String, AtomicInteger> counts = new ConcurrentHashMap<>();

    void add(String key) {
        counts.computeIfAbsent(key, unused -> new AtomicInteger()).incrementAndGet();
    }

    int get(String key) {
        AtomicInteger count = counts.get(key);
        return count == null ? 0 : count.get();
    }
}
