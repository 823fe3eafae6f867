import { ByteBuffer } from "../bytes/buffer";
import { Owner } from "../upstream/owner";

/** The bytes for one client. */
export class ClientOutput {
  readonly bytes: ByteBuffer = new ByteBuffer();
  /** They are taken at the end of this callback: no tick has to fetch them. */
  taken: bool = false;

  constructor(private readonly owner: Owner) {}

  /** Says that bytes have been added. */
  // @ts-ignore: decorator
  @inline
  wrote(): void {
    if (!this.taken) this.owner.schedule();
  }
}
