package vectors;

import java.io.Serializable;
import java.util.List;

/** Objects: more classes than have a tag of their own (sixteen), one without fields, one that refers to itself. */
final class Classes {
  private Classes() {}

  static class Node implements Serializable {
    String name;
    Node next;
    Object other;
    long number = 1L << 50;
  }

  static class Empty implements Serializable {}

  static class Base implements Serializable {
    int base = 1;
  }

  static class C00 extends Base { String a = "a"; }
  static class C01 extends Base { Object b = new C00(); }
  static class C02 extends Base { double c = 0.5; }
  static class C03 extends Base { int[] d = {1, 2}; }
  static class C04 extends Base { List<Object> e = List.of(new C02(), 1); }
  static class C05 extends Base { Long f; }
  static class C06 extends Base { boolean g; byte[] h = new byte[20]; }
  static class C07 extends Base { short i = 9; char j = 'j'; float k = 1.5f; }
  static class C08 extends Base { String l = "漢字"; }
  static class C09 extends Base { Object m = new C08(); }
  static class C10 extends Base { Object n = Values.Colour.RED; }
  static class C11 extends Base { Object o = new Object[] {new C10()}; }
  static class C12 extends Base { String p = ""; }
  static class C13 extends Base { String q = "q".repeat(40000); }
  static class C14 extends Base { transient String r = "r"; }
  static class C15 extends Base { Object s = new C14(); }
  static class C16 extends Base { Object t = new C15(); }
  static class C17 extends Base { Object u = new C16(); }
  static class C18 extends Base { Object v = new C17(); }
  static class C19 extends Base { Object w = new Object[] {new C18(), new C17(), new C00()}; }

  static List<Object> all() {
    return List.of(
        new C00(), new C01(), new C02(), new C03(), new C04(), new C05(), new C06(), new C07(), new C08(), new C09(),
        new C10(), new C11(), new C12(), new C13(), new C14(), new C15(), new C16(), new C17(), new C18(), new C19());
  }
}
