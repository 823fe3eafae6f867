import { Bytes } from "../bytes/bytes";
import { ObjectReader } from "../config/object";

/** The labels that hosts must carry (MOSN's metadata_match, "mosn.lb"), sorted by key. Immutable. */
export class MetadataMatch {
  /** The labels as one text, to tell two of them apart. */
  text: string = "";
  readonly keys: Bytes[] = [];
  readonly values: Bytes[] = [];

  constructor(labels: Map<string, string>) {
    const names = labels.keys();
    names.sort();
    for (let i = 0; i < names.length; i++) {
      this.keys.push(Bytes.of(names[i]));
      this.values.push(Bytes.of(labels.get(names[i])));
      this.text += `\n${names[i]}\t${labels.get(names[i])}`;
    }
  }
}

/** Reads `{"filter_metadata": {"mosn.lb": {KEY: VALUE}}}` from a field; no labels when it is absent or empty. */
export function readLabels(from: ObjectReader, field: string): Map<string, string> {
  const metadata = from.object(field);
  const filters = metadata.object("filter_metadata");
  const labels = filters.stringMap("mosn.lb");
  filters.finish();
  metadata.finish();
  return labels;
}
