/** Numbers as people read them: how many of a thing, and milliseconds with no more digits than mean something. */

/** `1 card`, `2 cards`. */
export const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

export const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
