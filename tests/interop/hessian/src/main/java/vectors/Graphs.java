package vectors;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** Random graphs of values, in which containers and objects are used again. */
final class Graphs {
  private final Random random;
  private final List<Object> known = new ArrayList<>();

  Graphs(long seed) {
    random = new Random(seed);
  }

  Object next() {
    if (random.nextInt(4) == 0) known.clear();
    return value(3);
  }

  private Object value(int depth) {
    if (!known.isEmpty() && random.nextInt(8) == 0) return known.get(random.nextInt(known.size()));
    return depth == 0 || random.nextInt(3) == 0 ? scalar() : container(depth - 1);
  }

  private Object scalar() {
    switch (random.nextInt(9)) {
      case 0:
        return random.nextInt() >> random.nextInt(32);
      case 1:
        return random.nextLong() >> random.nextInt(64);
      case 2:
        return random.nextInt(200000) * 0.001;
      case 3:
        return text();
      case 4:
        return new byte[random.nextInt(40)];
      case 5:
        return new Date(random.nextInt(1000) * 30000L);
      case 6:
        return random.nextBoolean();
      case 7:
        return new BigDecimal(random.nextInt()).movePointLeft(3);
      default:
        return null;
    }
  }

  private String text() {
    String[] alphabets = {"word", "ü", "漢字", "😀"};
    return alphabets[random.nextInt(4)].repeat(random.nextInt(20));
  }

  private Object container(int depth) {
    int n = random.nextInt(9);
    switch (random.nextInt(7)) {
      case 0:
        return fill(new ArrayList<>(), n, depth);
      case 1:
        return fill(new LinkedList<>(), n, depth);
      case 2:
        return fill(new HashMap<>(), n, depth);
      case 3:
        return fill(new TreeMap<>(), n, depth);
      case 4:
        return fill(new LinkedHashMap<>(), n, depth);
      case 5: {
        Object[] array = new Object[n];
        known.add(array);
        for (int i = 0; i < n; i++) array[i] = value(depth);
        return array;
      }
      default: {
        Classes.Node node = new Classes.Node();
        known.add(node);
        node.name = text();
        node.other = value(depth);
        return node;
      }
    }
  }

  private Object fill(List<Object> list, int n, int depth) {
    known.add(list);
    for (int i = 0; i < n; i++) list.add(value(depth));
    return list;
  }

  private Object fill(Map<Object, Object> map, int n, int depth) {
    known.add(map);
    for (int i = 0; i < n; i++) map.put("key" + i, value(depth));
    return map;
  }
}
