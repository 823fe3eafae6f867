// Charts as SVG: lines and dots over two axes, of the numbers of a run.

export type Point = [x: number, y: number];

export interface Series {
  name: string;
  /** `line` and `dashes` connect the points; `steps` holds each value up to the next; `ranges` connects each two. */
  kind: "line" | "dashes" | "steps" | "dots" | "ranges";
  points: Point[];
}

export interface Chart {
  /** Of the file. */
  name: string;
  title: string;
  x: string;
  y: string;
  series: Series[];
  /** Where the y axis begins; default 0. */
  from?: number;
}

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 56;
const RIGHT = 16;
const TOP = 36;
const BOTTOM = 64;
const COLOURS = ["#1f6feb", "#d1242f", "#6e7781", "#1a7f37"];
const TICKS = 6;
/** More dots than this are small. */
const MANY = 100;

/** A round distance of ticks for a span. */
function step(span: number): number {
  const rough = span / TICKS;
  const unit = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((of) => of * unit).find((each) => each >= rough) ?? 10 * unit;
}

/** A round axis from `from` to at least `to`. */
class Axis {
  readonly ticks: number[] = [];
  private readonly end: number;

  constructor(
    private readonly from: number,
    to: number,
    private readonly start: number,
    private readonly length: number,
  ) {
    const by = step(Math.max(to - from, 1e-9));
    this.end = from + Math.ceil((to - from) / by - 1e-9) * by;
    for (let i = 0; from + i * by <= this.end + by / 2; i++) this.ticks.push(Number((from + i * by).toPrecision(10)));
  }

  /** Where a value is, in pixels. */
  at(value: number): number {
    return this.start + ((value - this.from) / (this.end - this.from)) * this.length;
  }
}

const px = (value: number): string => String(Math.round(value * 10) / 10);

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${px(x)}" y="${px(y)}"${more}>${escape(content)}</text>`;
}

function drawn({ kind, points }: Series, x: Axis, y: Axis, colour: string): string {
  if (kind === "dots") {
    const radius = points.length > MANY ? 1.2 : 2.5;
    const dot = ([a, b]: Point) => `<circle cx="${px(x.at(a))}" cy="${px(y.at(b))}" r="${radius}" fill="${colour}"/>`;
    return points.map(dot).join("");
  }
  const path = points.map(([a, b], i) => {
    const to = `${px(x.at(a))} ${px(y.at(b))}`;
    if (i === 0 || (kind === "ranges" && i % 2 === 0)) return `M${to}`;
    return kind === "steps" ? `H${px(x.at(a))}V${px(y.at(b))}` : `L${to}`;
  });
  const width = kind === "ranges" ? 5 : 1.5;
  const dashes = kind === "dashes" ? ' stroke-dasharray="6 4"' : "";
  return `<path d="${path.join("")}" fill="none" stroke="${colour}" stroke-width="${width}"${dashes}/>`;
}

function grid(x: Axis, y: Axis): string[] {
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  return [
    ...y.ticks.flatMap((tick) => [
      `<path d="M${LEFT} ${px(y.at(tick))}H${right}" stroke="#d0d7de" stroke-width="0.5"/>`,
      text(LEFT - 6, y.at(tick) + 4, String(tick), ' text-anchor="end"'),
    ]),
    ...x.ticks.map((tick) => text(x.at(tick), bottom + 16, String(tick), ' text-anchor="middle"')),
    `<path d="M${LEFT} ${TOP}V${bottom}H${right}" fill="none" stroke="#57606a"/>`,
  ];
}

/** The chart as SVG, on white. */
export function svg({ title, x: xName, y: yName, series, from = 0 }: Chart): string {
  const points = series.flatMap((one) => one.points);
  const x = new Axis(0, Math.max(...points.map(([a]) => a)), LEFT, WIDTH - LEFT - RIGHT);
  const y = new Axis(from, Math.max(...points.map(([, b]) => b)), HEIGHT - BOTTOM, TOP + BOTTOM - HEIGHT);
  const legend = series.map(({ name }, i) => {
    const at = LEFT + (i * (WIDTH - LEFT - RIGHT)) / series.length;
    const mark = `<path d="M${px(at)} ${HEIGHT - 12}h14" stroke="${COLOURS[i]}" stroke-width="3"/>`;
    return mark + text(at + 19, HEIGHT - 8, name);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 18, title, ' font-size="13" font-weight="bold"'),
    text(LEFT, TOP - 6, yName),
    text(WIDTH - RIGHT, HEIGHT - BOTTOM + 30, xName, ' text-anchor="end"'),
    ...grid(x, y),
    ...series.map((one, i) => drawn(one, x, y, COLOURS[i])),
    ...legend,
    "</svg>\n",
  ].join("\n");
}
