/** Seeds that every test run tries. */
export const fixedSeeds: readonly number[] = Array.from({ length: 30 }, (_, place) => 1 + place);
