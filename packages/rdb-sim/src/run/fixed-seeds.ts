/** Seeds that every test run tries: first those that once found a bug, by what it was. */
export const fixedSeeds: readonly number[] = Array.from({ length: 30 }, (_, place) => 1 + place);
