// What the search of the guide finds: pure, so that it can be tried without a browser.

const WORD = /[\p{L}\p{N}]+/gu;
const FOUND_MAX = 20;
const AROUND = 60;

// Russian endings and the English plural do not matter: a word is looked for by its beginning.
export function stem(word) {
  const plain = word.toLowerCase().replaceAll("ё", "е");
  if (/^[а-я]{5,}$/u.test(plain)) return plain.slice(0, plain.length > 7 ? -3 : -2);
  if (/^[a-z]{4,}s$/u.test(plain)) return plain.replace(/(?:(?<=[xs])e)?s$/u, "");
  return plain;
}

export function terms(query) {
  return (query.match(WORD) ?? []).map(stem);
}

function beginning(term) {
  return new RegExp(`(?<![\\p{L}\\p{N}])${term}`, "gu");
}

// How well a part answers: every word must stand in it; a title counts more than the text, a whole title most.
function weigh(part, query, wanted) {
  let weight = part.title === query ? 60 : part.title.startsWith(query) ? 15 : 0;
  for (const one of wanted) {
    const above = (part.page.match(one) ?? []).length;
    const within = (part.title.match(one) ?? []).length;
    const times = (part.text.match(one) ?? []).length;
    if (above + within + times === 0) return 0;
    weight += Math.min(above, 1) * 6 + Math.min(within, 2) * 8 + Math.min(times, 4);
  }
  if (wanted.length > 1 && part.text.includes(query)) weight += 6;
  return Math.max(1, weight + (part.place === "" ? 3 : 0) - (part.isAside ? 12 : 0));
}

function plain(text) {
  return text.toLowerCase().replaceAll("ё", "е");
}

export function prepare(index) {
  return index.parts.map(([number, place, title, text]) => {
    const [href, name, language, isAside] = index.pages[number];
    return { href, name, language, isAside, place, shown: title, whole: text,
      page: plain(name), title: plain(title), text: plain(text) };
  });
}

// Gives the parts that hold every word of the query, the best first, pages of the reader's language before others.
export function find(parts, query, language) {
  const wanted = terms(query).map(beginning);
  if (wanted.length === 0) return [];
  const sought = plain(query.trim());
  const weighed = [];
  for (const part of parts) {
    const weight = weigh(part, sought, wanted);
    if (weight > 0) weighed.push([weight + (part.language === language ? 2 : 0), part]);
  }
  weighed.sort((one, other) => other[0] - one[0]);
  return weighed.slice(0, FOUND_MAX).map(([, part]) => part);
}

// Gives the words around the first hit as [text, whether it is the hit], to be shown as text and never as HTML.
export function excerpt(part, query) {
  const hits = terms(query).map((term) => [part.text.search(beginning(term)), term.length]).filter(([at]) => at >= 0);
  const [at, length] = hits.length ? hits.reduce((one, other) => (other[0] < one[0] ? other : one)) : [0, 0];
  const from = Math.max(0, at - AROUND);
  const to = Math.min(part.whole.length, at + length + 2 * AROUND);
  return [
    [(from > 0 ? "…" : "") + part.whole.slice(from, at), false],
    [part.whole.slice(at, at + length), true],
    [part.whole.slice(at + length, to) + (to < part.whole.length ? "…" : ""), false],
  ];
}
