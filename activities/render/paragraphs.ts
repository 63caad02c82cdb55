// How many paragraphs fit into a number of bytes?

/** Markdown paragraphs as one text; items of a list (`- `) follow each other without an empty line. */
export function joinParagraphs(paragraphs: readonly string[]): string {
  return paragraphs.reduce((text, paragraph, index) => {
    if (index === 0) return paragraph;
    const inList = paragraph.startsWith('- ') && paragraphs[index - 1]?.startsWith('- ');
    return `${text}${inList ? '\n' : '\n\n'}${paragraph}`;
  }, '');
}

/** The first ones, of at most `maxBytes` in UTF-8 together; `more` tells, in a last one, how many are left out. */
export function fitParagraphs(
  paragraphs: readonly string[],
  maxBytes: number,
  more: (count: number) => string,
): readonly string[] {
  let left = maxBytes;
  for (const [index, paragraph] of paragraphs.entries()) {
    left -= Buffer.byteLength(paragraph) + 2;
    if (left < 0) return [...paragraphs.slice(0, index), more(paragraphs.length - index)];
  }
  return paragraphs;
}

/** Of paragraphs that are joined. */
export function paragraphBytes(paragraphs: readonly string[]): number {
  return paragraphs.reduce((sum, paragraph) => sum + Buffer.byteLength(paragraph) + 2, 0);
}
