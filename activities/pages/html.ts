// How does text from outside become HTML that says what it says and does nothing else?
import { visible } from '../render/markdown.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For the inside of an element or of a quoted attribute. Characters that nobody would see are named. */
export function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, (found) => entities[found] ?? '');
}

/** A name that may be written from right to left, without turning round what stands beside it. */
export const name = (text: string): string => `<bdi>${escaped(text)}</bdi>`;

export const code = (text: string): string => `<code>${escaped(text)}</code>`;

/** `label` is finished HTML; it stands alone where the address is none of the web's. */
export function anchor(label: string, address: string): string {
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) return label;
  return `<a href="${escaped(new URL(address).href)}">${label}</a>`;
}
