// Icons: paths drawn on 24 × 24. `import * as icons` and `<Icon path={icons.close} />`: what isn't used isn't bundled.
export const alert =
  'M12 9v4m0 3.5v.01M10.3 4.2 2.6 17.5A2 2 0 0 0 4.3 20.5h15.4a2 2 0 0 0 1.7-3L13.7 4.2a2 2 0 0 0-3.4 0Z';
export const arrowUp = 'M12 19V5m-6 6 6-6 6 6';
export const back = 'M15 5l-7 7 7 7';
export const bell = 'M6 16V11a6 6 0 1 1 12 0v5l1.5 2h-15L6 16Zm4 5h4';
export const bellOff = 'M6 16V11c0-1 .2-2 .7-2.8M9 5.8A6 6 0 0 1 18 11v5M4.5 18H18M10 21h4M3 3l18 18';
export const book =
  'M5 4.5A1.5 1.5 0 0 1 6.5 3H19v15H6.5A1.5 1.5 0 0 0 5 19.5V4.5Zm0 15A1.5 1.5 0 0 0 6.5 21H19';
export const chart = 'M4 20h16M7 16v-5m5 5V5m5 11V9';
export const chat = 'M4 5.5h16v11h-9l-4.5 3.5v-3.5H4v-11Z';
export const check = 'M5 12.5 10 17.5 19.5 7';
export const checks = 'M2.5 12.5 7 17l8.5-9.5M12 16l1.5 1.5L22 7.5';
export const chevronDown = 'M6 9l6 6 6-6';
export const chevronRight = 'M9 5l7 7-7 7';
export const clock = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4.5V12l3 2';
export const close = 'M6 6l12 12M18 6 6 18';
export const copy = 'M9 9h11v11H9V9Zm-3.5 6H4V4h11v1.5';
export const dots = 'M5.5 12h.01M12 12h.01M18.5 12h.01';
export const download = 'M12 4v11m-5-4.5 5 5 5-5M5 20h14';
export const filter = 'M4 5h16l-6 7.5V19l-4 1.5v-8L4 5Z';
export const flag = 'M5 21V4h13l-2.5 4L18 12H5';
export const folder = 'M3.5 6h6l2 2.5h9V19h-17V6Z';
export const handover = 'M4 8h13m-4-4 4 4-4 4M20 16H7m4-4-4 4 4 4';
export const heart = 'M12 20s-7.5-4.6-7.5-10.2A4.2 4.2 0 0 1 12 7.3a4.2 4.2 0 0 1 7.5 2.5C19.5 15.4 12 20 12 20Z';
export const info = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 8v5.5M12 7.5v.01';
export const keyboard = 'M3 6h18v12H3V6Zm4 4h.01M11 10h.01M15 10h.01M7.5 14h9';
export const leave = 'M14 4h6v16h-6M4 12h11m-4-4 4 4-4 4';
export const lock = 'M6 11h12v9H6v-9Zm2.5 0V8a3.5 3.5 0 0 1 7 0v3';
export const mail = 'M3.5 6h17v12.5h-17V6Zm.5.5 8 6.5 8-6.5';
export const moon = 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z';
export const note = 'M5 4h14v10l-5 6H5V4Zm14 10h-5v6M8.5 8.5h7M8.5 12h4';
export const park = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM10 9v6m4-6v6';
export const paperclip = 'M19.5 11.5 12 19a5 5 0 0 1-7-7l8-8a3.3 3.3 0 0 1 4.7 4.7L10 16.3a1.7 1.7 0 0 1-2.4-2.4l7-7';
export const pause = 'M9 5v14M15 5v14';
export const phone =
  'M6 3.5h3.5l1.5 4.5-2.5 1.5a11 11 0 0 0 6 6L16 13l4.5 1.5V18a2.5 2.5 0 0 1-2.5 2.5A15 15 0 0 1 3.5 6 2.5 2.5 0 0 1 6 3.5Z';
export const pin = 'M9 3.5h6l-1 6 3.5 4h-11l3.5-4-1-6ZM12 13.5V21';
export const play = 'M7 4.5v15l12-7.5-12-7.5Z';
export const plus = 'M12 5v14M5 12h14';
export const refresh = 'M20 5v5h-5M4 19v-5h5M5.5 9.5a7 7 0 0 1 12-2.5L20 10M4 14l2.5 3a7 7 0 0 0 12-2.5';
export const reply = 'M10 6 4 12l6 6M4 12h10a6 6 0 0 1 6 6v1';
export const search = 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14Zm5 12 4.5 4.5';
export const send = 'M4.5 12 3 4l18 8-18 8 1.5-8Zm0 0H12';
export const settings =
  'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Zm7.5 3c0-.6 0-1-.2-1.6l2-1.5-2-3.4-2.3 1a7.5 7.5 0 0 0-2.7-1.6L14 2.5h-4l-.3 2.4A7.5 7.5 0 0 0 7 6.5l-2.3-1-2 3.4 2 1.5a7 7 0 0 0 0 3.2l-2 1.5 2 3.4 2.3-1a7.5 7.5 0 0 0 2.7 1.6l.3 2.4h4l.3-2.4a7.5 7.5 0 0 0 2.7-1.6l2.3 1 2-3.4-2-1.5c.2-.6.2-1 .2-1.6Z';
export const shield = 'M12 3 5 6v5.5c0 4.5 3 7.5 7 9.5 4-2 7-5 7-9.5V6l-7-3Zm-3 9 2.2 2.2L15.5 10';
export const smile = 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.01M15 9.5v.01';
export const star = 'm12 3.5 2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9L3.5 9.7l5.9-.8L12 3.5Z';
export const sun =
  'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-5.5v2m0 15v2m9.5-9.5h-2m-15 0h-2m16.2-6.7-1.4 1.4M6.7 17.3l-1.4 1.4m13.4 0-1.4-1.4M6.7 6.7 5.3 5.3';
export const tag = 'M4 4h7l9 9-7 7-9-9V4Zm4 4v.01';
export const user = 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6';
export const users =
  'M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM2.5 19.5c.4-3.5 3-5 6.5-5s6.1 1.5 6.5 5M16 5.3a3.5 3.5 0 0 1 0 6.5m2 3c2 .7 3.2 2.2 3.5 4.7';
export const wifiOff =
  'M3 3l18 18M8.5 16a5 5 0 0 1 5.5-1M5 12.5a10 10 0 0 1 4-2.4m4-.5a10 10 0 0 1 6 2.9M2 9a14 14 0 0 1 4-2.7M10 5a15 15 0 0 1 12 4M12 19.5v.01';
