package interop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/** One case's outcome as one JSON line, with everything that differs from run to run masked. */
final class Report {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String[][] MASKS = {
        {"/?\\b\\d{1,3}(\\.\\d{1,3}){3}\\b(:\\d+)?", "ADDR"},
        {"(?i)\\b((?:request ?)?id)(\\s*[=:]\\s*)-?\\d+", "$1$2ID"},
        {"\\b[0-9a-f]{25,40}\\b", "TRACE"},
        {"\\b\\d{4}-\\d\\d-\\d\\d[ T][0-9:.,]+", "TIME"},
        {"\\b\\d+ ?ms\\b", "MS"},
        {"@[0-9a-f]{5,8}\\b", "@HASH"},
    };

    private Report() {}

    /** {@code text} without ids, addresses, times and trace ids. */
    static String mask(String text) {
        if (text == null) return null;
        String masked = text;
        for (String[] rule : MASKS) masked = Pattern.compile(rule[0]).matcher(masked).replaceAll(rule[1]);
        return masked;
    }

    /** Length and CRC-32 of {@code body}; empty for none. */
    static String digest(byte[] body) {
        if (body == null) return "";
        CRC32 crc = new CRC32();
        crc.update(body);
        return " " + body.length + "/" + Long.toHexString(crc.getValue());
    }

    /** {@code size} bytes that repeat nowhere soon. */
    static byte[] bytes(int size) {
        byte[] body = new byte[size];
        for (int i = 0; i < size; i++) body[i] = (byte) (i * 31 + (i >> 8) * 17);
        return body;
    }

    /** The JSON line of a case that ended with {@code result}, or with {@code thrown} when that is not null. */
    static String line(String name, String expected, Object result, Throwable thrown, Map<String, Object> extras) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("case", name);
        fields.put("expected", expected);
        if (thrown == null) {
            fields.put("result", result instanceof byte[] ? "bytes" + digest((byte[]) result) : result);
        } else {
            fields.put("exception", thrown.getClass().getName());
            fields.put("message", mask(thrown.getMessage()));
            Throwable cause = thrown.getCause();
            if (cause != null) fields.put("cause", cause.getClass().getName() + ": " + mask(cause.getMessage()));
        }
        if (!extras.isEmpty()) fields.put("extras", new TreeMap<>(extras));
        try {
            return new String(JSON.writeValueAsBytes(fields), StandardCharsets.UTF_8);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("case " + name, impossible);
        }
    }
}
