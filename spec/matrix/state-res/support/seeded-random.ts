/** `random(n)`: an integer from 0 to n − 1, the same sequence for the same seed (xorshift32). */
export function seededRandom(seed: number): (n: number) => number {
  let state = Math.imul(seed, 2654435761) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state;
  };
  for (let round = 0; round < 4; round++) next();
  return (n) => next() % n;
}
