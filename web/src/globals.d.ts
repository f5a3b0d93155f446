// What the build puts in (build.mjs) and the imports that only it understands.
declare const PANEL_URL: string;
declare const LATER_URL: string;
declare const DICT_URLS: Record<string, string>;

declare module 'dict:*' {
  const dicts: Record<string, () => Promise<{ default: Record<string, string> }>>;
  export default dicts;
}
declare module '*.css?text' {
  const text: string;
  export default text;
}
declare module '*.css';
