import { Host } from "../host/kit/index.ts";
import { leasedFlow, rpcFilters } from "./chains.ts";
import { checkEmpty, Epoch } from "./epoch.ts";
import { Player } from "./player.ts";
import { type Event, Transcript } from "./transcript.ts";
import type { Wire } from "./wire.ts";

/** What is fuzzed of RPC: each client speaks one of the wires. */
export interface RpcTarget {
  wires: Wire[];
  /** The switchboard is hostile, instead of clients and servers. */
  http2?: boolean;
}

/** Names of the codecs of a target. */
const codecsOf = ({ wires }: RpcTarget): string[] => [...new Set(wires.flatMap(({ codecs }) => codecs))];

const CLIENTS = 3;
const INPUTS_PER_CLIENT = 24;

/** The module's configuration: filters on, bounds small enough to be met. */
function configuration(target: RpcTarget): object {
  const added = { header: { key: "added", value: "%downstream_remote_address%" } };
  const none = [{ name: "service", value: "none" }];
  const zone = [{ name: "zone", value: "^b+$", regex: true }];
  const routers = [
    { match: { headers: none }, direct_response: { status: 404, body: "no such service" } },
    {
      match: { headers: zone },
      route: { cluster_name: "other", request_headers_to_add: [added] },
      per_filter_config: { flowControlFilter: leasedFlow() },
    },
    {
      route: { cluster_name: "upstream", timeout: "1s", retry_policy: { retry_on: true, num_retries: 1 } },
      request_mirror_policies: { cluster: "shadow", percent: 10 },
    },
  ];
  return {
    protocols: codecsOf(target),
    max_frame_bytes: 16_384,
    max_connection_bytes: 262_144,
    detect_timeout_ms: 500,
    drain_check_ms: 200,
    stream_filters: rpcFilters(),
    router: { virtual_hosts: [{ domains: ["*"], routers }] },
  };
}

/** A host of the root `proxy` for a target. */
export const startRpc = (module: string, target: RpcTarget): Promise<Host> =>
  Host.start({ module, config: configuration(target) });

/** All clients of a target have gone: nothing is under way. */
export const checkGone = (host: Host, target: RpcTarget): void =>
  checkEmpty(
    host,
    [...codecsOf(target), "mirror", "callouts"].map((name) => `${name}.active`),
  );

/** Mutated sessions of RPC. */
export class RpcEpoch extends Epoch {
  private readonly log = new Transcript();
  private connections = 0;

  constructor(
    private readonly host: Host,
    private readonly target: RpcTarget,
    seed: number,
    epoch: number,
  ) {
    super([host], seed, epoch);
  }

  get events(): Event[] {
    return this.log.events;
  }

  /** Some clients at once, one of them clean. */
  protected round(): void {
    const { dice, host } = this;
    this.log.clear();
    host.log.lines.length = 0;
    const players: Player[] = [];
    const clean = dice.roll(CLIENTS);
    for (let index = 0; index < CLIENTS; index++) players.push(this.join(index, index === clean));
    for (let input = 0; input < CLIENTS * INPUTS_PER_CLIENT; input++) {
      const index = dice.roll(CLIENTS);
      if (players[index].over && index !== clean) {
        this.count(players[index]);
        players[index] = this.join(index, false);
      }
      players[index].play();
      this.totals.inputs++;
      if (dice.chance(10)) this.advance(dice.pick([1, 4, 4, 20, 100]));
    }
    for (const player of players) player.settle();
    this.advance(dice.chance(10) ? 1500 : 100); // sometimes past the timeouts
    this.end(players);
  }

  private end(players: Player[]): void {
    const { dice, host } = this;
    for (const player of players) {
      player.check();
      this.count(player);
      player.leave(dice.pick(["fin", "rst"]));
    }
    this.advance(600); // idle, the module writes gauges every half second
    host.forgetClosed();
    checkGone(host, this.target);
  }

  private join(index: number, clean: boolean): Player {
    const { wires, http2 = false } = this.target;
    const wire = wires.length === 1 ? wires[0] : this.dice.pick(wires);
    const manners = { clean, http2, mixed: wires.length > 1 };
    return new Player(this.host, wire, this.dice, this.log, index, ++this.connections, manners);
  }

  private count(player: Player): void {
    if (player.detected) this.totals.detected += player.inputs;
    this.totals.completed += Math.min(player.completed, player.inputs);
  }

  private advance(ms: number): void {
    this.log.note("advance", ms);
    this.host.advance(ms);
  }
}
