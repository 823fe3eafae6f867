package vectors;

import com.alibaba.com.caucho.hessian.io.Hessian2Output;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/**
 * Writes streams of Hessian values, one JSON line each: name, the bytes in hex, and where every value of the stream
 * ends. Arguments: the version of the library, and the file, which is gzipped.
 */
public final class Vectors {
  private final Writer out;
  private final String version;

  private Vectors(Writer out, String version) {
    this.out = out;
    this.version = version;
  }

  public static void main(String[] args) throws IOException {
    try (FileOutputStream file = new FileOutputStream(args[1]);
        Writer out = new OutputStreamWriter(new GZIPOutputStream(file), StandardCharsets.US_ASCII)) {
      Vectors vectors = new Vectors(out, args[0]);
      Values.scalars(vectors);
      Values.texts(vectors);
      Values.types(vectors);
      Values.collections(vectors);
      Values.objects(vectors);
      Graphs graphs = new Graphs(4711);
      for (int i = 0; i < 300; i++) vectors.add("graph " + i, graphs.next(), graphs.next(), graphs.next());
    }
  }

  void add(String name, Object... values) throws IOException {
    add(name, Arrays.asList(values));
  }

  void add(String name, List<?> values) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Hessian2Output hessian = new Hessian2Output(bytes);
    StringBuilder ends = new StringBuilder();
    for (Object value : values) {
      hessian.writeObject(value);
      hessian.flush();
      ends.append(ends.length() == 0 ? "" : ",").append(bytes.size());
    }
    StringBuilder hex = new StringBuilder();
    for (byte b : bytes.toByteArray()) hex.append(Character.forDigit((b >> 4) & 15, 16)).append(Character.forDigit(b & 15, 16));
    out.write("{\"name\":\"" + version + " " + name + "\",\"ends\":[" + ends + "],\"hex\":\"" + hex + "\"}\n");
  }
}
