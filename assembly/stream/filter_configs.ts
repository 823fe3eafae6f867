import { FilterConfig, FilterType } from "./filter";

/** The configurations of stream filters for one route (MOSN's per_filter_config), each parsed once. */
export class FilterConfigs {
  private readonly types: FilterType[] = [];
  private readonly configs: FilterConfig[] = [];

  /** The configuration of a type; null: it has none here. */
  get(type: FilterType): FilterConfig | null {
    for (let i = 0, n = this.types.length; i < n; i++) {
      if (unchecked(this.types[i]) === type) return unchecked(this.configs[i]);
    }
    return null;
  }

  /** Adds the configuration of a type that has none yet. */
  add(type: FilterType, config: FilterConfig): void {
    this.types.push(type);
    this.configs.push(config);
  }

  /** Adds those of `others` whose types have none here. */
  inherit(others: FilterConfigs): void {
    for (let i = 0; i < others.types.length; i++) {
      if (this.get(others.types[i]) === null) this.add(others.types[i], others.configs[i]);
    }
  }
}
