/** Finds what an operator probably meant by a name that does not exist. */

/** Optimal string alignment distance: insertions, deletions, substitutions, and two neighbours in the wrong order. */
const distance = (a: string, b: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
};

/** Longer names are never compared: the work grows with the square of their length. */
const COMPARED_LENGTH_MAX = 64;

/** The candidate that is nearest to the word, if one is near enough to have been meant. */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  if (word.length > COMPARED_LENGTH_MAX) return undefined;
  let found: { readonly name: string; readonly off: number } | undefined;
  for (const name of candidates) {
    const off = distance(word.toLowerCase(), name.toLowerCase());
    const near = off <= Math.max(1, Math.floor(name.length / 3));
    if (near && (found === undefined || off < found.off)) found = { name, off };
  }
  return found?.name;
};

/** `did you mean X?`, or else the given advice. */
export const didYouMean = (word: string, candidates: Iterable<string>, otherwise: string): string => {
  const name = nearest(word, candidates);
  return name === undefined ? otherwise : `did you mean ${name}?`;
};
