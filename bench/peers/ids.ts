/** The ids of the bench's messages. The engine's own scripts write them in the same way. */

/** Of every id that is written into a body; the longest that a `tranId` may be. */
export const ID_LENGTH = 32;

/** The id of this number: as long as any other, and nothing like one that the gateway derives. */
export const idOf = (number: number): string => String(number).padStart(ID_LENGTH, '0');
