/** Notes that a statement ran. */
export function hit(statement: number): void;
