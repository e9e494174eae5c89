// The service counts in code points, a browser in UTF-16 units.
const inPair = (text, at) => /[\uDC00-\uDFFF]/.test(text[at] ?? "") && /[\uD800-\uDBFF]/.test(text[at - 1] ?? "");
export const points = (text, at) => [...text.slice(0, inPair(text, at) ? at - 1 : at)].length;
export const units = (text, point) => [...text].slice(0, point).join("").length;

// Where words begin and end, in units.
export function wordsOf(text) {
  const cut = [...new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)];
  return cut.filter((w) => w.isWordLike).map((w) => [w.index, w.index + w.segment.length]);
}
