// What is said of a frame that cannot be accepted.
import { Bytes } from "../bytes/bytes";
import { Code } from "../message/code";
import { FrameError } from "../xprotocol/frame";

const TOO_LARGE = Bytes.of("frame too large");
const BROKEN_HEADERS = Bytes.of("broken header block");
const BAD_CHECKSUM = Bytes.of("checksum mismatch");
const MALFORMED = Bytes.of("malformed frame");
const AMBIGUOUS = Bytes.of("ambiguous call: servers would read it differently");
const NO_ROOM = Bytes.of("no memory for the rest of the frame");

const BAD_ANSWER = "bad answer of the server: ";
const ANSWER_TOO_LARGE = Bytes.of(BAD_ANSWER + TOO_LARGE.toString());
const ANSWER_BROKEN_HEADERS = Bytes.of(BAD_ANSWER + BROKEN_HEADERS.toString());
const ANSWER_BAD_CHECKSUM = Bytes.of(BAD_ANSWER + BAD_CHECKSUM.toString());
const ANSWER_AMBIGUOUS = Bytes.of(BAD_ANSWER + AMBIGUOUS.toString());
const ANSWER_MALFORMED = Bytes.of(BAD_ANSWER + MALFORMED.toString());
const NO_ROOM_FOR_ANSWER = Bytes.of("no memory for the server's answer");

/** MOSN's code for a frame that cannot be read (docs/reference/mosn.md#codes). */
export function codeOf(error: FrameError): i32 {
  switch (error) {
    case FrameError.TOO_LARGE:
      return Code.UNKNOWN;
    case FrameError.HEADERS:
      return Code.DESERIALIZE_EXCEPTION;
    case FrameError.AMBIGUOUS:
      return Code.BAD_REQUEST;
    case FrameError.NO_ROOM:
      return Code.UPSTREAM_OVERFLOW;
    default:
      return Code.CODEC_EXCEPTION;
  }
}

/** What is wrong with a frame: for its sender, and for the log. */
export function reasonOf(error: FrameError): Bytes {
  switch (error) {
    case FrameError.TOO_LARGE:
      return TOO_LARGE;
    case FrameError.HEADERS:
      return BROKEN_HEADERS;
    case FrameError.CHECKSUM:
      return BAD_CHECKSUM;
    case FrameError.AMBIGUOUS:
      return AMBIGUOUS;
    case FrameError.NO_ROOM:
      return NO_ROOM;
    default:
      return MALFORMED;
  }
}

/** The same for the client whose answer it should have been. */
export function answerReasonOf(error: FrameError): Bytes {
  switch (error) {
    case FrameError.TOO_LARGE:
      return ANSWER_TOO_LARGE;
    case FrameError.HEADERS:
      return ANSWER_BROKEN_HEADERS;
    case FrameError.CHECKSUM:
      return ANSWER_BAD_CHECKSUM;
    case FrameError.AMBIGUOUS:
      return ANSWER_AMBIGUOUS;
    case FrameError.NO_ROOM:
      return NO_ROOM_FOR_ANSWER;
    default:
      return ANSWER_MALFORMED;
  }
}
