/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

// From nothing to the most; each step is clearly lighter (on dark) or darker (on light) than the one before, so that the
// map reads without seeing colours too.
const darkRamp: readonly Colour[] = [
  [24, 26, 32],
  [48, 28, 66],
  [110, 32, 84],
  [186, 54, 62],
  [240, 112, 36],
  [255, 184, 76],
  [255, 244, 198],
];
const lightRamp: readonly Colour[] = [
  [242, 242, 245],
  [253, 226, 200],
  [251, 186, 124],
  [241, 124, 52],
  [205, 62, 32],
  [138, 24, 44],
  [62, 10, 46],
];

export function rampOf(isDark: boolean): readonly Colour[] {
  return isDark ? darkRamp : lightRamp;
}

/**
 * How hot a value is, 0 to 1. By its logarithm: a Region that gets a hundredth of what the hottest gets is to be seen
 * still, and what is idle is 0.
 */
export function heatShare(value: number, maximum: number): number {
  return value <= 0 || maximum <= 0 ? 0 : Math.min(1, Math.log1p(value) / Math.log1p(maximum));
}

/** The ramp's colour at a share of it. */
export function colourAt(ramp: readonly Colour[], share: number): Colour {
  const place = Math.max(0, Math.min(1, share)) * (ramp.length - 1);
  const at = Math.min(Math.floor(place), ramp.length - 2);
  const from = ramp[at] ?? [0, 0, 0];
  const to = ramp[at + 1] ?? from;
  const mixed = (channel: 0 | 1 | 2): number =>
    Math.round(from[channel] + (to[channel] - from[channel]) * (place - at));
  return [mixed(0), mixed(1), mixed(2)];
}
