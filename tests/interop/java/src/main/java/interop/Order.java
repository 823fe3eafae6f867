package interop;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A nested argument and result: list, map, null, numbers at their bounds, text outside ASCII. */
public class Order implements Serializable {
    private static final long serialVersionUID = 1L;

    private String id;
    private long cents;
    private double weight;
    private String note;
    private List<String> lines = new ArrayList<>();
    private Map<String, Integer> counts = new LinkedHashMap<>();

    /** The order that the cases send. */
    public static Order sample() {
        Order order = new Order();
        order.id = "订单-№7 \uD83D\uDE80";
        order.cents = Long.MIN_VALUE;
        order.weight = 1.5e-9;
        order.lines.add("first");
        order.lines.add("");
        order.counts.put("a", Integer.MAX_VALUE);
        order.counts.put("b", -1);
        return order;
    }

    public String getId() {
        return id;
    }

    public void setId(String id) {
        this.id = id;
    }

    public long getCents() {
        return cents;
    }

    public void setCents(long cents) {
        this.cents = cents;
    }

    public double getWeight() {
        return weight;
    }

    public void setWeight(double weight) {
        this.weight = weight;
    }

    public String getNote() {
        return note;
    }

    public void setNote(String note) {
        this.note = note;
    }

    public List<String> getLines() {
        return lines;
    }

    public void setLines(List<String> lines) {
        this.lines = lines;
    }

    public Map<String, Integer> getCounts() {
        return counts;
    }

    public void setCounts(Map<String, Integer> counts) {
        this.counts = counts;
    }
}
