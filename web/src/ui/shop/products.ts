// What the demo shop sells. Names and texts are in i18n/LANG/shop.json under p.ID.

export type Kind = 'lamps' | 'cushions' | 'blankets' | 'stools' | 'linen';

export interface Product {
  id: string;
  kind: Kind;
  art: string;
  /** The ground behind the drawing. */
  tone: 'sand' | 'clay' | 'sage' | 'mist';
  price: number;
  was?: number;
  tag?: 'new' | 'loved';
}

export const products: readonly Product[] = [
  { id: 'moon', kind: 'lamps', art: 'moon', tone: 'clay', price: 329, tag: 'loved' },
  { id: 'indigo', kind: 'cushions', art: 'indigo', tone: 'mist', price: 128 },
  { id: 'celadon', kind: 'lamps', art: 'celadon', tone: 'sage', price: 389, tag: 'new' },
  { id: 'drum', kind: 'stools', art: 'drum', tone: 'sand', price: 399 },
  { id: 'herring', kind: 'blankets', art: 'herring', tone: 'clay', price: 458, was: 528 },
  { id: 'brass', kind: 'lamps', art: 'brass', tone: 'mist', price: 468 },
  { id: 'persimmon', kind: 'cushions', art: 'persimmon', tone: 'sand', price: 108, tag: 'new' },
  { id: 'rush', kind: 'stools', art: 'rush', tone: 'sage', price: 269 },
  { id: 'waffle', kind: 'blankets', art: 'waffle', tone: 'mist', price: 238 },
  { id: 'reed', kind: 'lamps', art: 'reed', tone: 'sand', price: 699, was: 799 },
  { id: 'duvet', kind: 'linen', art: 'duvet', tone: 'sage', price: 899, tag: 'loved' },
  { id: 'ramie', kind: 'linen', art: 'ramie', tone: 'clay', price: 158 },
];
