package vectors;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Date;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.GregorianCalendar;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** The vectors that are thought out: every tag, the edges of every compact form, and the types of Java with rules. */
final class Values {
  private Values() {}

  enum Colour {
    RED,
    GREEN
  }

  static void scalars(Vectors to) throws IOException {
    to.add("null and booleans", null, true, false);
    List<Object> ints = new ArrayList<>();
    List<Object> longs = new ArrayList<>();
    for (long edge : new long[] {0, -8, 15, -16, 47, -0x800, 0x7ff, -0x40000, 0x3ffff, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      for (long i = edge - 1; i <= edge + 1; i++) {
        longs.add(i);
        if (i == (int) i) ints.add((int) i);
      }
    }
    longs.addAll(Arrays.asList(Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40));
    to.add("ints", ints);
    to.add("longs", longs);
    to.add("small numbers", (byte) -1, (short) 300, 'c', 1.5f, Float.MAX_VALUE);
    to.add("doubles", 0.0, -0.0, 1.0, -128.0, 127.0, 128.0, -32768.0, 32767.0, 32768.0, 0.001, 12.345, 1e-9, 1.0 / 3);
    to.add("odd doubles", Double.NaN, Double.POSITIVE_INFINITY, Double.MIN_VALUE, Double.MAX_VALUE, 2147483.647, 2147483.648);
    to.add("dates", new Date(0), new Date(60000), new Date(1), new Date(-1), new Date(Long.MAX_VALUE), new Date(1700000000123L));
  }

  static void texts(Vectors to) throws IOException {
    int[] lengths = {0, 1, 7, 8, 9, 31, 32, 33, 255, 256, 1023, 1024, 1025, 0x7fff, 0x8000, 0x8001, 0xffff, 0x10000, 0x18001};
    String[] alphabets = {"a", "é", "漢", "😀", "a😀", "abcdefgé漢", "\0"};
    for (String alphabet : alphabets) {
      List<Object> strings = new ArrayList<>();
      for (int length : lengths) strings.add(alphabet.repeat(length / alphabet.length() + 1).substring(0, length));
      to.add("strings of " + (int) alphabet.charAt(0) + "/" + alphabet.length(), strings);
    }
    // A pair of surrogates on the edge of a chunk, and halves of one.
    String edge = "x".repeat(0x7fff) + "😀".repeat(0x4000) + "y";
    to.add("surrogates on the edge", edge, edge.substring(1), "\ud83d", "\ude00", "\ude00\ud83d");
    to.add("characters", "abc".toCharArray(), "漢😀".repeat(20000).toCharArray());
    List<Object> binaries = new ArrayList<>();
    for (int length : new int[] {0, 1, 15, 16, 17, 1023, 1024, 1025, 4093, 8189, 8192, 32768, 65535, 65536, 70000}) {
      byte[] bytes = new byte[length];
      for (int i = 0; i < length; i++) bytes[i] = (byte) (i * 31);
      binaries.add(bytes);
    }
    to.add("binaries", binaries);
  }

  static void types(Vectors to) throws IOException {
    to.add("enum", Colour.RED, Colour.GREEN, Colour.RED, new Colour[] {Colour.GREEN, Colour.GREEN});
    to.add("numbers as objects", new BigDecimal("12345678901234567890.123"), new BigDecimal("0"), BigInteger.ONE.shiftLeft(200));
    to.add("locales", Locale.CHINA, Locale.ROOT, new Locale("de", "AT", "1901"), Locale.CHINA);
    to.add("class", String.class, int.class, Values.class);
    to.add("old time", new GregorianCalendar(2020, 1, 2), new java.sql.Timestamp(5), new java.sql.Date(6), new java.sql.Time(7));
    to.add("time", Instant.EPOCH, LocalDate.of(2020, 2, 29), LocalDateTime.of(2020, 1, 1, 0, 0), Duration.ofDays(3));
    to.add("zoned", ZonedDateTime.parse("2020-01-01T00:00:00+08:00[Asia/Shanghai]"));
    to.add("others", new UUID(1, 2), BitSet.valueOf(new long[] {5}), new StringBuilder("abc"));
    Exception cause = new IllegalStateException("inner");
    to.add("exceptions", new RuntimeException("outer", cause), cause);
  }

  static void collections(Vectors to) throws IOException {
    to.add("arrays", new int[] {1, 2, 3}, new long[0], new String[] {"a", null}, new double[9], new boolean[] {true});
    to.add("arrays of arrays", new int[][] {{1}, {2, 3}, null}, new Object[] {1, "x", new Object[] {2L}}, new short[300]);
    List<Object> lists = new ArrayList<>();
    for (int n : new int[] {0, 1, 7, 8, 9, 48, 2048, 70000}) lists.add(new ArrayList<>(Collections.nCopies(n, n)));
    to.add("lists", lists);
    to.add("linked", new LinkedList<>(List.of(1, "two")), new LinkedList<>(List.of(3)), new LinkedList<>());
    to.add("sets", new HashSet<>(List.of(1, 2, 3)), new TreeSet<>(List.of("b", "a")), EnumSet.allOf(Colour.class));
    to.add("helpers", Collections.emptyList(), Arrays.asList(1, 2), Collections.unmodifiableList(lists.subList(0, 1)));
    to.add("iterators", List.of(1, 2, 3).iterator(), Collections.enumeration(List.of("a")), 5);
    Map<Object, Object> mixed = new LinkedHashMap<>();
    mixed.put(null, 1);
    mixed.put(2, null);
    mixed.put(List.of(3), Map.of("k", new int[] {4}));
    mixed.put(new TreeMap<>(Map.of("a", "b")), new HashMap<>());
    to.add("maps", mixed, new HashMap<>(), new TreeMap<>(Map.of(1, 2)), new ConcurrentHashMap<>(Map.of("x", "y")), mixed);
    Properties properties = new Properties();
    properties.put("k", "v");
    Map<Colour, Object> enums = new EnumMap<>(Colour.class);
    enums.put(Colour.RED, 1);
    to.add("maps of a kind", properties, enums, new TreeMap<>(Collections.reverseOrder()));
    List<Object> list = new ArrayList<>();
    list.add(list);
    Map<Object, Object> map = new HashMap<>();
    map.put("self", map);
    map.put("list", list);
    to.add("cycles", list, map, list, map, new Object[] {map, list});
    Object deep = "end";
    for (int i = 0; i < 500; i++) deep = i % 2 == 0 ? List.of(deep) : Map.of("k", deep);
    to.add("deep", deep);
  }

  static void objects(Vectors to) throws IOException {
    Classes.Node node = new Classes.Node();
    node.name = "first";
    node.next = new Classes.Node();
    node.next.next = node;
    node.other = List.of(node, node.next);
    to.add("cyclic objects", node, node.next, node);
    to.add("without fields", new Classes.Empty(), new Classes.Empty(), List.of(new Classes.Empty()));
    to.add("many classes", Classes.all());
    List<Object> twice = new ArrayList<>(Classes.all());
    twice.addAll(Classes.all());
    to.add("many classes in a list, twice", twice, Classes.all());
    to.add("types again", new ArrayList<>(List.of(1)), new LinkedList<>(List.of(2)), new LinkedList<>(List.of(3)), new int[8], new int[9]);
  }
}
