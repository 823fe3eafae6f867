export function filterNames(): string[];
export function rowsText(filter: string): string;
export function report(host: string, counts: Map<string, number>): void;
