import { Bytes } from "../../../assembly/bytes/bytes";

/** What kind of key an algorithm needs. */
export const enum Family {
  RSA = 0,
  EC = 1,
}

/** A way to sign tokens that Envoy's verify_signature can check. */
export class Algorithm {
  /** What Envoy calls its hash. */
  readonly hash: Bytes;

  /**
   * @param name its `alg`
   * @param curve of EC: 0 for P-256, 1 for P-384, 2 for P-521
   * @param size bytes of each half of a signature of EC
   */
  constructor(
    readonly name: string,
    readonly family: Family,
    hash: string,
    readonly curve: i32,
    readonly size: i32,
  ) {
    this.hash = Bytes.of(hash);
  }
}

const ALL: Algorithm[] = [
  new Algorithm("RS256", Family.RSA, "sha256", -1, 0),
  new Algorithm("RS384", Family.RSA, "sha384", -1, 0),
  new Algorithm("RS512", Family.RSA, "sha512", -1, 0),
  new Algorithm("ES256", Family.EC, "sha256", 0, 32),
  new Algorithm("ES384", Family.EC, "sha384", 1, 48),
  new Algorithm("ES512", Family.EC, "sha512", 2, 66),
];

/** The algorithm of a name; null: it cannot be checked here, or may not be ("none"). */
export function algorithmOf(name: string): Algorithm | null {
  for (let i = 0; i < ALL.length; i++) if (ALL[i].name == name) return ALL[i];
  return null;
}
