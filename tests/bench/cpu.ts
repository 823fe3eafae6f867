// CPU time of another process, from /proc (Linux).
import { readdirSync, readFileSync } from "node:fs";

/**
 * CPU time that the process has used so far, user and system, in milliseconds. Nanosecond steps where the kernel keeps
 * schedstat, else its clock ticks (10 ms). Throws if the process is gone.
 */
export function cpuMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const onCpu = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
    );
    return onCpu.reduce((sum, each) => sum + each, 0) / 1e6;
  } catch {
    // Fields 14 and 15, counted behind the name, which may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
}
