import { Bytes } from "../bytes/bytes";
import { ObjectReader } from "../config/object";
import { labelKeyError } from "../stream/labels";

/** The labels that hosts must carry (MOSN's metadata_match, "mosn.lb"), sorted by key. Immutable. */
export class MetadataMatch {
  readonly keys: Bytes[];
  readonly values: Bytes[];
  /** Keys and values as one text, which starts with a NUL: equal for equal labels. */
  readonly text: string;

  constructor(labels: Map<string, string>) {
    const names = labels.keys();
    names.sort();
    const keys: Bytes[] = [];
    const values: Bytes[] = [];
    let text = "";
    for (let i = 0; i < names.length; i++) {
      const value = labels.get(names[i]);
      keys.push(Bytes.of(names[i]));
      values.push(Bytes.of(value));
      text += "\0" + names[i] + "\0" + value;
    }
    this.keys = keys;
    this.values = values;
    this.text = text;
  }
}

/**
 * Reads `{"filter_metadata": {"mosn.lb": {KEY: VALUE}}}` from a field; no labels when it is absent or empty. Labels
 * travel to Envoy as headers: keys and values that a header cannot have are refused.
 */
export function readLabels(from: ObjectReader, field: string): Map<string, string> {
  const metadata = from.object(field);
  const filters = metadata.object("filter_metadata");
  const labels = filters.stringMap("mosn.lb");
  filters.finish();
  metadata.finish();
  const keys = labels.keys();
  const object = filters.object("mosn.lb");
  for (let i = 0; i < keys.length; i++) {
    const error = labelKeyError(keys[i]);
    if (error.length > 0) object.fail(keys[i], error);
    if (!isVisible(labels.get(keys[i]))) object.fail(keys[i], "a label's value must be of visible ASCII characters");
  }
  return labels;
}

/** Whether `text` is all visible ASCII, of 1 to 255 characters: what travels as a header towards Envoy. */
export function isVisible(text: string): bool {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x21 || text.charCodeAt(i) > 0x7e) return false;
  return text.length > 0 && text.length < 256;
}
