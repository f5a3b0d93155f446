// Brand colours that stay readable (WCAG contrast). Colours are #rgb or #rrggbb; anything else is null.

type Rgb = readonly [number, number, number];

export function parseColor(text: string): Rgb | null {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (!hex) return null;
  const full = hex.length === 3 ? [...hex].map((c) => c + c).join('') : hex;
  const n = parseInt(full, 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

function luminance(color: Rgb): number {
  const [r, g, b] = color.map((c) => (c / 255 <= 0.04045 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4)) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const x = luminance(a) + 0.05;
  const y = luminance(b) + 0.05;
  return x > y ? x / y : y / x;
}

const white: Rgb = [255, 255, 255];
const black: Rgb = [0, 0, 0];

/** Black or white, whichever reads better on the colour: one of them always reaches 4.5:1. */
export function textOn(color: Rgb): Rgb {
  return contrast(color, white) >= 4.5 || contrast(color, white) >= contrast(color, black) ? white : black;
}

export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return a.map((c, i) => Math.round(c * (1 - share) + (b[i] ?? 0) * share)) as unknown as Rgb;
}

/** The nearest colour to `color`, darker or lighter, that has `ratio` against `ground`. */
export function readable(color: Rgb, ground: Rgb, ratio: number): Rgb {
  const goal = contrast(ground, white) > contrast(ground, black) ? white : black;
  for (let share = 0; share < 1; share += 0.04) {
    const tried = mix(color, goal, share);
    if (contrast(tried, ground) >= ratio) return tried;
  }
  return goal;
}

export function css(color: Rgb): string {
  return `rgb(${color.join(' ')})`;
}
