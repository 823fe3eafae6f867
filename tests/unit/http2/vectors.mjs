// Writes vectors.ts: what two other implementations make of HPACK and HTTP/2, hpack.js and Node's own (nghttp2).
// Run again only to change the vectors: `node tests/unit/http2/vectors.mjs`, then `npm run format`.
import { writeFileSync } from "node:fs";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import hpack from "hpack.js";

let seed = 7;
/** A number below `n`, the same in every run. */
function random(n) {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return (seed >>> 8) % n;
}

const latin1 = (bytes) => String.fromCharCode(...bytes);
const hex = (text) => Buffer.from(text, "latin1").toString("hex");

/** Pairs of plain and Huffman-coded strings in hex. */
function huffman() {
  const all = [...Array(256).keys()];
  const texts = [latin1(all), latin1(all.reverse()), "", "0", "www.example.com", "\xff".repeat(9)];
  for (let i = 1; i <= 24; i++) {
    const range = i % 3 == 0 ? [0, 256] : [32, 95];
    texts.push(latin1(Array.from({ length: i * 2 + random(3) }, () => range[0] + random(range[1]))));
  }
  return texts.map((text) => {
    const compressor = hpack.compressor.create({ table: { maxSize: 0 } });
    compressor.write([{ name: "a", value: text, incremental: false }]);
    const block = compressor.read();
    // 00 81 1f: a literal with the name "a"; then the flag H and the length of the value with a prefix of 7 bits.
    let at = 4;
    if ((block[3] & 0x7f) == 0x7f) while ((block[at++] & 0x80) != 0);
    return [hex(text), block.subarray(at).toString("hex")];
  });
}

const NAMES = [
  ":status",
  ":path",
  "x-moe-host",
  "content-type",
  "date",
  "x-request-id",
  "server",
  "x-\xe9",
  "set-cookie",
];
const VALUES = ["200", "/", "10.0.0.1:8080", "a", "", "application/grpc", "\x01\x80\xff", "lorem ipsum dolor sit amet"];

/** Header blocks of one connection with a dynamic table of `maxSize` bytes, and their fields as text. */
function blocks(maxSize, count) {
  const compressor = hpack.compressor.create({ table: { maxSize } });
  const result = [];
  for (let i = 0; i < count; i++) {
    if (i % 7 == 6) compressor.reset();
    const fields = Array.from({ length: 1 + random(6) }, () => ({
      name: NAMES[random(NAMES.length)] + (random(4) == 0 ? random(9) : ""),
      value: VALUES[random(VALUES.length)] + (random(3) == 0 ? "-".repeat(random(60)) : ""),
      huffman: random(3) != 0,
      incremental: random(4) != 0,
      neverIndex: random(6) == 0,
    }));
    compressor.write(fields);
    const text = fields.map(({ name, value }) => `${name}: ${value}\n`).join("");
    result.push([compressor.read().toString("hex"), hex(text)]);
  }
  return result;
}

const fieldsText = (raw) => raw.map((text, i) => (i % 2 == 0 ? text + ": " : text + "\n")).join("");
const DATE = "Sat, 01 Jan 2000 00:00:00 GMT";

/** What the server of `session` does with each stream, by its path. */
const answers = {
  "/plain": (stream) => {
    stream.respond({ ":status": 200, date: DATE, "x-moe-host": "10.0.0.1:8080", "set-cookie": ["a=1", "b=2"] });
    stream.end("hello, client");
  },
  "/trailers": (stream) => {
    stream.respond({ ":status": 200, date: DATE, "x-moe-host": "10.0.0.2:8080" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }));
    stream.end(Buffer.from(Array.from({ length: 300 }, (_, i) => i & 0xff)));
  },
  "/none": (stream) => stream.respond({ ":status": 503, date: DATE, "content-length": 0 }, { endStream: true }),
  "/reset": (stream) => {
    stream.respond({ ":status": 200, date: DATE });
    stream.write("cut");
    setTimeout(() => stream.destroy(new Error("a reset")), 50);
  },
};

/** What a server sent in one connection, in hex, and what the client saw, as lines. */
async function session() {
  const server = http2.createServer({ paddingStrategy: http2.constants.PADDING_STRATEGY_MAX });
  server.on("stream", (stream, headers) => answers[headers[":path"]](stream.on("error", () => {})));
  server.on("session", (s) => (server.peer = s));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const sent = [];
  const tap = net.createServer((socket) => {
    const up = net.connect(server.address().port, "127.0.0.1");
    up.on("data", (bytes) => sent.push(bytes) && socket.write(bytes)).on("close", () => socket.destroy());
    socket.pipe(up);
  });
  await once(tap.listen(0, "127.0.0.1"), "listening");
  const client = http2.connect(`http://127.0.0.1:${tap.address().port}`, { settings: { enablePush: false } });
  const seen = [];
  for (const path of Object.keys(answers)) {
    const stream = client.request({ ":path": path }).on("error", () => {});
    stream.on("response", (_1, _2, raw) => seen.push(`${stream.id} fields ${hex(fieldsText(raw))}`));
    stream.on("trailers", (_1, _2, raw) => seen.push(`${stream.id} fields ${hex(fieldsText(raw))}`));
    const body = [];
    stream.on("data", (bytes) => body.push(bytes));
    await new Promise((closed) => stream.on("close", closed));
    if (body.length > 0) seen.push(`${stream.id} body ${Buffer.concat(body).toString("hex")}`);
    seen.push(`${stream.id} ${stream.rstCode == 0 ? "end" : "reset " + stream.rstCode}`);
  }
  server.peer.ping(Buffer.from("moe-ping"), () => server.peer.goaway(0, 7));
  client.on("ping", (opaque) => seen.push(`ping ${opaque.toString("hex")}`));
  client.on("goaway", (code, last) => seen.push(`goaway ${last} ${code}`));
  await once(client, "close");
  server.peer.destroy();
  server.close();
  tap.close();
  return [Buffer.concat(sent).toString("hex"), seen.join("\n")];
}

const HEAD = `// Written by vectors.mjs: do not edit. Bytes and texts are in hex.\n`;
const table = (name, doc, rows) =>
  `\n/** ${doc} */\nexport const ${name}: string[][] = ${JSON.stringify(rows).replace(/\],/g, "],\n")};\n`;
writeFileSync(
  new URL("vectors.ts", import.meta.url),
  HEAD +
    table("HUFFMAN", "Plain and Huffman-coded strings, by hpack.js.", huffman()) +
    table("BLOCKS_4096", "Header blocks of one connection and their fields, by hpack.js.", blocks(4096, 20)) +
    table("BLOCKS_160", "The same with a table that evicts all the time.", blocks(160, 30)) +
    table("SESSION", "What an nghttp2 server sent (padded), and what its client saw.", [await session()]),
);
