import { DEFAULT_WINDOW } from "../http2/constants";
import { TunnelStream } from "./tunnel_stream";

/** The streams of a tunnel that must not hold the others back (`TunnelStream.secondary`). */
export class SecondaryStreams {
  /** Bytes that they have been given and that are not sent. */
  backlog: i32 = 0;
  /** Those with something to say. */
  readonly dirty: TunnelStream[] = [];
  /** Those that are not over. */
  readonly all: TunnelStream[] = [];
  /** The most that the connection's window has been, bytes. */
  private widest: i32 = DEFAULT_WINDOW;

  /** Takes one away that is over: its part of the window is free for the others. */
  remove(stream: TunnelStream): void {
    const i = this.all.indexOf(stream);
    if (i >= 0) this.all.splice(i, 1);
  }

  /** The connection's window has so many bytes now. */
  widen(window: i32): void {
    this.widest = max(this.widest, window);
  }

  /**
   * What they may still send before the others could lack room: of the connection's window Envoy gives half back at a
   * time, so less than half may be under way to servers that do not read.
   * @param streamWindow what may be under way to one such server, bytes
   */
  room(streamWindow: i32): i32 {
    let room = (this.widest >> 3) * 3;
    for (let i = 0, n = this.all.length; i < n; i++) {
      room -= streamWindow - unchecked(this.all[i]).window.available;
    }
    return room;
  }
}
