import { Bytes } from "../bytes/bytes";
import { ClusterConfig } from "./cluster_config";

/** What the configuration of the proxy says of server connections. Immutable once it is read. */
export abstract class UpstreamConfig {
  /** Largest frame, bytes. */
  maxFrameBytes: i32 = 0;
  /** Most memory that one downstream connection may hold before it is slowed, bytes. */
  maxConnectionBytes: i32 = 0;
  /** How long the rest of a frame may take, with a millisecond more for each 16 bytes, milliseconds; 0: any time. */
  frameTimeoutMs: i32 = 0;

  /** The configuration of a cluster; defaults where there is none. Allocates: look clusters up once. */
  abstract cluster(name: Bytes): ClusterConfig;
}
