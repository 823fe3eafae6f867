package interop;

/** What services of several frameworks do alike, with the server's own records. */
public abstract class SharedService {
    final Records records = new Records();

    public String sayHello(String name) {
        return "Hello " + name;
    }

    public byte[] echo(byte[] body) {
        return body;
    }

    public Order reprice(Order order, long cents) {
        order.setCents(cents);
        order.getLines().add("repriced");
        return order;
    }

    public String nothing(String name) {
        return null;
    }

    public String slow(String name, long millis) {
        records.add(name);
        Pause.millis(millis);
        return name;
    }

    public String fail(String kind) throws OrderException {
        switch (kind) {
            case "checked":
                throw new OrderException("no such order: 订单", 404);
            case "unchecked":
                throw new IllegalStateException("broken on purpose");
            default:
                throw new AssertionError("an error, not an exception");
        }
    }

    public void ping(String key) {
        records.add(key);
    }

    public int recorded(String key) {
        return records.get(key);
    }
}
