// East Asian wide characters take two columns of a terminal.
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/gu;

/** Columns of a terminal that a text without escape sequences takes. */
export function displayWidth(text: string): number {
  return Array.from(text).length + (text.match(WIDE)?.length ?? 0);
}

/** The text, or with its end left out as much of it as `width` columns hold. */
export function cutEnd(text: string, width: number): string {
  return displayWidth(text) <= width ? text : `${take(text, width - 1)}…`;
}

/** The text, or with its middle left out: keys differ at both ends. */
export function cutMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) {
    return text;
  }
  const tail = Math.floor((width - 1) / 2);
  return `${take(text, width - 1 - tail)}…${reversed(take(reversed(text), tail))}`;
}

function take(text: string, width: number): string {
  let taken = "";
  let room = width;
  for (const character of text) {
    room -= displayWidth(character);
    if (room < 0) {
      break;
    }
    taken += character;
  }
  return taken;
}

function reversed(text: string): string {
  return Array.from(text).reverse().join("");
}
