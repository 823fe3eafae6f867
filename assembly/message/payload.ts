import { View } from "../bytes/view";

/** What a payload is written in. */
export const enum Serialization {
  /** There is nothing. */
  NONE,
  /** Hessian 2.0. */
  HESSIAN,
  /** Hessian 2.0 or its draft: the frame does not say. */
  HESSIAN_ANY,
  /** Another one. */
  OTHER,
  /** It cannot be told: a filter has changed a part of it. */
  UNKNOWN,
}

/** What a peer deserializes of a message; all is borrowed from the frame, and one object is reused. */
export class Payload {
  serialization: Serialization = Serialization.NONE;
  /** All values, one after the other, of what is Hessian. */
  readonly stream: View = new View();
  /** The class that the frame itself names; may be empty. */
  readonly typeName: View = new View();
  /** A JVM descriptor of the classes that the arguments are read as; may be empty. */
  readonly descriptor: View = new View();
  /** The server makes objects of maps whose key `class` names one (Dubbo's generic calls). */
  isGeneric: bool = false;

  /** For codecs: forgets the last one. */
  begin(serialization: Serialization): void {
    this.serialization = serialization;
    this.stream.set(0, 0);
    this.typeName.set(0, 0);
    this.descriptor.set(0, 0);
    this.isGeneric = false;
  }
}
