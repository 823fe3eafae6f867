package interop;

import java.util.LinkedHashMap;
import java.util.Map;

/** The cases by name, in the order in which they run. */
final class Cases {
    /** What a case does: the value it returns or the exception it throws is its outcome; extras are compared too. */
    interface Body {
        Object run(Map<String, Object> extras) throws Exception;
    }

    /** A case and the class of the exception that it must end with (null: none). */
    static final class Case {
        final String expected;
        final Body body;

        Case(Class<? extends Throwable> expected, Body body) {
            this.expected = expected == null ? null : expected.getName();
            this.body = body;
        }
    }

    final Map<String, Case> all = new LinkedHashMap<>();

    void add(String name, Body body) {
        all.put(name, new Case(null, body));
    }

    void fails(String name, Class<? extends Throwable> expected, Body body) {
        all.put(name, new Case(expected, body));
    }
}
