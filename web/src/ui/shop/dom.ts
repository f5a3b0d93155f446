// Elements without innerHTML: names, attributes, listeners, children.

type Props = Record<string, string | (() => void)>;

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props, ...children: Array<Node | string>): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((c) => c !== ''));
  return node;
}

const lines: Record<string, string> = {
  bag: 'M5 8h14l1 12H4L5 8Zm4 0V6.5a3 3 0 0 1 6 0V8',
  plus: 'M12 5v14M5 12h14',
  x: 'M6 6l12 12M18 6 6 18',
  'lamp-mark': 'M8 4h8l3 9H5L8 4Zm4 9v6m-4 1h8',
};

/** A drawing of the page's <symbol id="art-NAME">, or one of the few line icons. */
export function art(name: string, looks = ''): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg';
  const line = lines[name];
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('class', `${line ? 'line' : 'art'} ${looks}`.trim());
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('viewBox', line ? '0 0 24 24' : '0 0 320 320');
  const inner = document.createElementNS(space, line ? 'path' : 'use');
  inner.setAttribute(line ? 'd' : 'href', line ?? `#art-${name}`);
  svg.append(inner);
  return svg;
}
