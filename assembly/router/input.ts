import { Bytes } from "../bytes/bytes";
import { View } from "../bytes/view";

/**
 * What the router knows of a request: whoever owns the request implements it over its protocol. Each method points `out`
 * at borrowed bytes and returns true, or returns false where there is nothing. The bytes stay as they are until the
 * same method is called again or the headers change.
 */
export abstract class RouteInput {
  /** The first value of a header, looked up as the protocol compares keys. */
  abstract header(key: usize, keyLength: i32, out: View): bool;

  /** A variable of MOSN's (`hasVariable`); false where it has no value. */
  abstract variable(name: Bytes, out: View): bool;

  /** The path without query; of an RPC "/SERVICE/METHOD", as gRPC spells it, with what is unknown left empty. */
  abstract path(out: View): bool;

  /** The host that virtual hosts are chosen by; of an RPC its service. */
  abstract host(out: View): bool;

  /** The method: HTTP's verb, or the name of the procedure. */
  abstract method(out: View): bool;

  /** The service of an RPC. */
  abstract service(out: View): bool;

  /** The client's address as text, with or without a port. */
  abstract sourceAddress(out: View): bool;
}
