/** Names that are compared, in characters: shorter ones are like too many. */
const MIN_NAME: i32 = 4;
const MAX_NAME: i32 = 64;
const MAX_DISTANCE: i32 = 3;

/** `; did you mean "NAME"?` with the one of the names that is most like a text; empty where none is like it. */
export function suggestion(text: string, names: string[]): string {
  const given = plain(text);
  if (given.length < MIN_NAME || given.length > MAX_NAME) return "";
  let best = -1;
  let least = min(MAX_DISTANCE, given.length / MIN_NAME) + 1;
  for (let i = 0; i < names.length; i++) {
    const distance = difference(given, plain(names[i]));
    if (distance >= least) continue;
    least = distance;
    best = i;
  }
  for (let i = 0; i < names.length && best < 0; i++) {
    const name = plain(names[i]);
    if (name.startsWith(given) || (name.endsWith(given) && 2 * given.length > name.length)) best = i;
  }
  return best < 0 ? "" : `; did you mean "${names[best]}"?`;
}

/** A name without what spellings differ in: case, "_", "-" and spaces. */
function plain(name: string): string {
  const lower = name.toLowerCase();
  return lower.replaceAll("_", "").replaceAll("-", "").replaceAll(" ", "");
}

/** How many letters must be changed, added, removed or swapped with their neighbour to get from `a` to `b`. */
function difference(a: string, b: string): i32 {
  if (b.length > MAX_NAME) return MAX_NAME;
  let before = new StaticArray<i32>(b.length + 1);
  let last = new StaticArray<i32>(b.length + 1);
  let row = new StaticArray<i32>(b.length + 1);
  for (let j = 0; j <= b.length; j++) last[j] = j;
  for (let i = 1; i <= a.length; i++) {
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) == b.charCodeAt(j - 1);
      let cost = min(min(last[j], row[j - 1]) + 1, last[j - 1] + (same ? 0 : 1));
      const swapped =
        i > 1 && j > 1 && a.charCodeAt(i - 1) == b.charCodeAt(j - 2) && a.charCodeAt(i - 2) == b.charCodeAt(j - 1);
      if (swapped) cost = min(cost, before[j - 2] + 1);
      row[j] = cost;
    }
    const free = before;
    before = last;
    last = row;
    row = free;
  }
  return last[b.length];
}
